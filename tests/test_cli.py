from __future__ import annotations

import importlib
import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import luthier
from luthier import __version__, cli, config, workflows

TOY = '''"""Play a toy tune on some rows.

It pretends to train.
"""

import os, time
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from luthier.config import LocalPath, Options, Positional
from luthier.errors import Interrupted, ModelError
from luthier.report import Table


class Spec(Options):
    title = "Toy"
    hints = {"lr": "write learning_rate"}
    rows: Annotated[tuple[LocalPath, ...], Positional()] = Field(description="Files of rows.")
    message: str = Field("", description="What to say.")
    seconds: float = Field(0.0, description="How long to work.")
    fail: str = Field("", description="How to fail.")


@dataclass(frozen=True)
class Result:
    spec: Spec

    def to_json(self):
        return self.spec.model_dump()

    def tables(self):
        return [Table("Rows", ("file",), tuple((row,) for row in self.spec.rows))]

    def next_commands(self):
        return ("luthier toy again",)


def run(spec, report):
    report.event("warning", "careful")
    report.event("info", "working")
    if spec.fail == "error":
        raise ModelError("has no template", where="fiddle", remedy="give one")
    if spec.fail == "fault":
        raise ZeroDivisionError("oops")
    until = time.monotonic() + spec.seconds
    print("ready", flush=True) if spec.seconds else None
    while time.monotonic() < until:
        if report.cancelled() and spec.fail != "deaf":
            raise Interrupted("3 steps are saved", remedy="go on with --resume")
        time.sleep(0.01)
    return Result(spec)


def exit_code(result):
    return 1 if result.spec.fail == "verdict" else 0


def interactive(spec, read_line, write):
    while True:
        write("\\n> ")
        write("you said " + read_line() + "\\x1b[2J\\n")
'''

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(luthier.__file__).parents[1])}
START = """
import sys, luthier.workflows as workflows
workflows.__path__.append(sys.argv.pop(1))
from luthier.cli import main
sys.exit(main())
"""


@pytest.fixture
def verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of verbs beside ours, with the toy."""
    folder = tmp_path / "verbs"
    folder.mkdir()
    (folder / "toy.py").write_text(TOY)
    monkeypatch.setattr(workflows, "__path__", [*workflows.__path__, str(folder)])
    monkeypatch.delenv("LUTHIER_TRACE", raising=False)
    importlib.invalidate_caches()
    yield folder
    sys.modules.pop("luthier.workflows.toy", None)
    vars(workflows).pop("toy", None)


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START, str(folder), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=ENVIRONMENT,
    )


def test_a_verb_may_judge_its_result(verbs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["toy", "a.jsonl", "--fail", "verdict"]) == 1
    assert "a.jsonl" in capsys.readouterr().out
    assert cli.main(["toy", "a.jsonl", "--fail", "verdict", "--json"]) == 1


def test_a_verb_runs_with_its_flags_and_says_what_is_next(verbs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["toy", "a.jsonl", "--message", "hi"]) == 0
    shown = capsys.readouterr()
    assert "a.jsonl" in shown.out
    assert "next:\n  luthier toy again\n" in shown.out
    assert shown.err == "warning: careful\nworking\n"


def test_quiet_leaves_warnings_and_the_result(verbs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["toy", "a.jsonl", "-q"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "warning: careful\n"
    assert "a.jsonl" in shown.out


def test_json_is_all_there_is_on_the_output(verbs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["toy", "a.jsonl", "--json", "--message", "é"]) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": ["a.jsonl"], "message": "é", "seconds": 0.0, "fail": ""}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["toy", "a", "--fail", "error"], 2, "error: fiddle: has no template; give one\n"),
        (["toy", "a", "--fail", "fault"], 1, "fault: ZeroDivisionError: oops (at toy.py:"),
        (["toy"], 2, "error: luthier toy: rows: missing; Files of rows\n"),
        (["toy", "a", "--secs", "3"], 2, "error: luthier toy: unknown option --secs; did you mean --seconds?\n"),
        (["toy", "a", "--lr", "3"], 2, "error: luthier toy: unknown option --lr; write learning_rate\n"),
        (["toy", "a", "--seconds"], 2, "error: Option '--seconds' requires an argument.\n"),
        (["toy", "a", "--seconds", "x"], 2, "error: luthier toy: --seconds: input should be a valid number. Got 'x'"),
        (["tay"], 2, "error: there is no command 'tay'; did you mean 'toy'?\n"),
        (["--nonsense"], 2, "error: No such option '--nonsense'.\n"),
        (["toy", "none.yaml"], 2, "error: none.yaml: no such file; check the path\n"),
    ],
)
def test_refusals_and_faults(
    verbs: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    assert cli.main(words) == code
    shown = capsys.readouterr()
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_a_trace_is_shown_when_asked_for(
    verbs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUTHIER_TRACE", "1")
    assert cli.main(["toy", "a", "--fail", "fault"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_help_lists_verbs_without_loading_them(verbs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (verbs / "broken.py").write_text('"""A verb that cannot be imported."""\nraise RuntimeError\n')
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"\n  toy +Play a toy tune on some rows\.\n", shown)
    assert "A verb that cannot be imported." in shown
    assert cli.main([]) == 0
    assert capsys.readouterr().out == shown


def test_the_help_of_a_verb_shows_its_arguments_options_and_recipe(
    verbs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["toy", "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Usage: luthier toy ROWS... [OPTIONS]\n")
    assert "It pretends to train." in shown
    assert re.search(r"Toy:\n  --rows PATH \.\.\. +Files of rows\. \[required\]\n", shown)
    assert "in the place of ROWS..." in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"luthier {__version__}\n"


def test_the_package_runs_as_a_module() -> None:
    words = [sys.executable, "-m", "luthier", "--version"]
    run = subprocess.run(words, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert run.stdout == f"luthier {__version__}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_the_verb_which_saves_first(verbs: Path, number: int) -> None:
    process = start(verbs, "toy", "a", "--seconds", "30")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "stopping: saving what is done; once more stops at once\n" in said
    assert said.endswith("stopped: 3 steps are saved; go on with --resume\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_a_verb_that_does_not_listen(verbs: Path, number: int) -> None:
    process = start(verbs, "toy", "a", "--seconds", "30", "--fail", "deaf")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    while "stopping" not in process.stderr.readline():
        pass
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == -number


def test_signal_handlers_are_put_back(verbs: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert cli.main(["toy", "a", "--fail", "fault"]) == 1
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_reader_that_leaves_early_is_no_fault(verbs: Path) -> None:
    process = start(verbs, "toy", "--rows", *(f"row-{i}-{'x' * 90}" for i in range(2_000)))
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=20) == 141
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def converse(verbs: Path, typed: list[bytes], *words: str) -> str:
    """Runs the toy on a terminal of its own, types at each prompt, and returns what the terminal got until the end."""
    master, slave = pty.openpty()
    command = [sys.executable, "-c", START, str(verbs), *words]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=ENVIRONMENT)
    os.close(slave)
    shown = b""
    while select.select([master], [], [], 10)[0]:
        try:
            shown += os.read(master, 4096)
        except OSError:  # the other side has gone
            break
        if typed and shown.endswith(b"> "):
            os.write(master, typed.pop(0))
    os.close(master)
    try:
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
    return shown.decode()


def test_a_verb_that_can_talk_does_so_on_a_terminal(verbs: Path) -> None:
    shown = converse(verbs, [b"hello\n", b"\x04"], "toy", "a")
    assert "you said hello⟨U+001B⟩[2J" in shown


def test_a_verb_that_can_talk_runs_once_when_a_message_is_given(verbs: Path) -> None:
    shown = converse(verbs, [], "toy", "a", "--message", "hi")
    assert "luthier toy again" in shown
    assert "you said" not in shown


def cpu_seconds(*words: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "luthier", *words]
    subprocess.run(command, capture_output=True, check=False, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


QUICK = [["--help"], *([verb, word] for verb in cli.commands() for word in ("--help", "--no-such-option"))]


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_help_and_refusals_are_quick(words: list[str]) -> None:
    assert min(cpu_seconds(*words) for _ in range(2)) < 0.5


@pytest.mark.parametrize("name", workflows.verbs())
def test_every_verb_keeps_the_contract_of_the_doors(name: str) -> None:
    verb = workflows.verb(name)
    assert cli.summary(name)
    assert {"to_json", "tables", "next_commands"} <= set(dir(verb.Result))
    fields = config.fields(verb.Spec)
    assert all(field.description for field in fields)
    assert not {"quiet", "json", "help", "version"} & {field.name for field in fields}
    assert not any(field.name.startswith("no_") for field in fields)
