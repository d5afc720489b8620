"""The `luthier` command: one subcommand per verb, made from its `Spec`; no verb is named here.

Exit codes: 0 done, 1 a fault of ours, or not so (of a verb that compares), 2 something the user can put right, 130
stopped on request.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import click

from luthier import __version__, arguments, config, workflows
from luthier.errors import Interrupted, LuthierError
from luthier.report import visible
from luthier.terminal import TerminalReport, is_terminal, show_json, show_result

DONE, FAULT, REFUSED, STOPPED, BROKEN_PIPE = 0, 1, 2, 130, 141
WIDTH = 100
SERVER = {name: f"luthier.server.{name}" for name in ("serve", "worker", "keys", "usage")}
SERVER["import"] = "luthier.server.moving"  # import is a word of Python's
STOPPING = b"stopping: saving what is done; once more stops at once\n"
RECIPE = (
    "A YAML or JSON file of the same keys can stand in the place of {place}: flags win over it, "
    "and its relative paths start at its folder."
)


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a screen that cannot show a letter is no reason to fail
    given = list(sys.argv[1:] if words is None else words)
    try:
        return int(Program().main(given or ["--help"], prog_name="luthier", standalone_mode=False) or DONE)
    except Interrupted as error:
        return _complain("stopped", str(error), STOPPED)
    except LuthierError as error:
        return _complain("error", str(error), REFUSED)
    except click.UsageError as error:
        return _complain("error", error.format_message(), REFUSED)
    except (KeyboardInterrupt, click.Abort):
        return _complain("stopped", "on request", STOPPED)
    except Exception as error:
        return _complain("fault", _fault(error), FAULT)


class Program(click.Group):
    """The verbs, each loaded when it is asked for; `--help` only reads the first line of their sources."""

    def __init__(self) -> None:
        version = click.version_option(__version__, prog_name="luthier", message="%(prog)s %(version)s")
        super().__init__("luthier", help="The LLM customisation platform you own.", context_settings=_context())
        version(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return commands()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        return VerbCommand(cmd_name, command(cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(name)) for name in commands()] or [("", "none")])
        formatter.write_paragraph()
        formatter.write_text("luthier COMMAND --help shows what a command takes.")


class VerbCommand(click.Command):
    """One verb: its positional fields as arguments, every field as a flag, help grouped by the rooms they belong to."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.module, self.fields = module, config.fields(module.Spec)
        general: list[click.Parameter] = [
            click.Option(["--quiet", "-q"], is_flag=True, help="Say only warnings, errors and the result."),
            click.Option(["as_json", "--json"], is_flag=True, help="Print the result as JSON, and all else as errors."),
        ]
        super().__init__(
            name,
            help=module.__doc__,
            params=[*arguments.parameters(self.fields), *general],
            callback=self.work,
            context_settings=_context() | {"token_normalize_func": arguments.dashes},
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, arguments.spread(args, self.fields))
        except click.NoSuchOption as error:
            raise arguments.unknown_flag(error.option_name, self.module.Spec, ctx.command_path) from None

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*(arguments.place(field) for field in self.fields if field.positional), "[OPTIONS]"]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, rows in arguments.explained(self.fields).items():
            with formatter.section(title):
                formatter.write_dl(rows, col_max=30)
        with formatter.section("General"):
            options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
            formatter.write_dl([record for option in options if (record := option.get_help_record(ctx))])
        first = next((field for field in self.fields if field.positional), None)
        if first:
            formatter.write_paragraph()
            formatter.write_text(RECIPE.format(place=arguments.place(first).strip("[]")))

    def work(self, *, quiet: bool, as_json: bool, **given: Any) -> int:
        """Runs the verb with what was given, in conversation where it can hold one and nothing was asked."""
        spec, named = arguments.bind(self.module.Spec, given, f"luthier {self.name}")
        talk = vars(self.module).get("interactive")
        if talk and "message" not in named and not as_json and sys.stdin.isatty():
            return _converse(talk, spec)
        judged, run = vars(self.module).get("exit_code", lambda _: DONE), self.module.run
        if "write" in inspect.signature(run).parameters and not as_json:  # it shows its text as it comes
            run = partial(run, write=Conversation().write)
        return _work(run, judged, spec, quiet, as_json)


class Stop:
    """Turns the first Ctrl-C or SIGTERM into a flag that the verb asks for; the second one ends the process at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        screen = is_terminal(sys.stderr)
        if self.asked:
            os.write(2, b"\x1b[?25h\n" if screen else b"")  # the bars hide the cursor
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.asked = True
        os.write(2, STOPPING if not screen else b"\n" + STOPPING)  # print is not safe inside a handler


def commands() -> list[str]:
    """Returns the names of all commands: the verbs, and those of the server."""
    return sorted([*workflows.verbs(), *SERVER])


def command(name: str) -> ModuleType:
    """Returns the module of a command. `SpecError` when there is none of that name."""
    return importlib.import_module(SERVER[name]) if name in SERVER else workflows.verb(name)


def summary(verb: str) -> str:
    """Returns the first line of a verb's docstring without importing it."""
    found = importlib.util.find_spec(SERVER.get(verb, f"luthier.workflows.{verb}"))
    if found is None or found.origin is None:
        return ""
    lines = (ast.get_docstring(ast.parse(Path(found.origin).read_text(encoding="utf-8"))) or "").splitlines()
    return lines[0] if lines else ""


def _context() -> dict[str, Any]:
    return {"max_content_width": WIDTH, "help_option_names": ["-h", "--help"]}


def _work(
    run: Callable[[Any, Any], Any], judged: Callable[[Any], int], spec: config.Options, quiet: bool, as_json: bool
) -> int:
    with Stop() as stop:
        report = TerminalReport(sys.stderr, quiet=quiet, stopped=lambda: stop.asked)
        try:
            result = run(spec, report)
        finally:
            report.close()
    try:
        (show_json if as_json else show_result)(sys.stdout, result)
    except BrokenPipeError:  # the reader left early
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        return BROKEN_PIPE
    return judged(result)


class Conversation:
    """The two ends of a talk on a terminal: shows pieces of text as they come, and reads a line with its history."""

    def __init__(self) -> None:
        self._line = ""
        with contextlib.suppress(ImportError):
            importlib.import_module("readline")  # arrow keys and history for input()

    def write(self, text: str) -> None:
        """Shows a piece of text; nothing in it can act on the screen."""
        sys.stdout.write(visible(text))
        sys.stdout.flush()
        self._line = (self._line + visible(text)).rpartition("\n")[2]

    def read_line(self) -> str:
        """Returns what was typed, without its line end. `EOFError` after Ctrl-D."""
        prompt, self._line = self._line, ""
        sys.stdout.write("\r")  # input() writes the prompt again and so knows not to wipe it
        return input(prompt)


def _converse(talk: Callable[..., None], spec: config.Options) -> int:
    ends = Conversation()
    with contextlib.suppress(EOFError):
        talk(spec, ends.read_line, ends.write)
    return DONE


def _complain(kind: str, message: str, code: int) -> int:
    trace = os.environ.get("LUTHIER_TRACE")
    if trace and trace != "0":
        traceback.print_exc()
    click.echo(click.style(f"{kind}:", fg="yellow" if code == STOPPED else "red") + f" {visible(message)}", err=True)
    return code


def _fault(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" (at {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    said = str(error).strip() or "no message"
    return f"{type(error).__name__}: {said}{place}\nThis was not expected. LUTHIER_TRACE=1 shows the whole trace."
