"""What the documents show is run. CONTRIBUTING.md says how a block is marked; here is how it is obeyed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated

import pytest
from house import ROOT
from pydantic import Field

import docs
from luthier import cli
from luthier.config import Options, Positional, bind, read_mapping
from luthier.errors import SpecError
from luthier.server.catalogue import open_catalogue
from luthier.server.routes import ENDPOINTS

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")])
FENCE = re.compile(r"^```(\w+)?[ ]*(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)")
RUN = ("console", "sh", "bash", "python", "yaml")
COMMAND_LIMIT_S = 600


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the words after it, its text and the line it starts on."""

    language: str
    marks: str
    text: str
    line: int

    @property
    def reason_not_to_run(self) -> str:
        return self.marks.partition("no-run:")[2].strip()

    def mark(self, name: str, default: str = "") -> str:
        found = re.search(rf"\b{name}=(\S+)", self.marks)
        return found[1] if found else default


def blocks(page: str) -> Iterator[Block]:
    for match in FENCE.finditer(page):
        yield Block(match[1] or "", match[2], match[3], page.count("\n", 0, match.start()) + 1)


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yields each command of a console block, without its `$ `, with the output shown below it."""
    command, shown = "", []
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], []
        elif command.endswith("\\"):
            command = command[:-1] + line.removeprefix("> ")
        else:
            shown.append(line)
    if command:
        yield command, shown


def run_page(page: str, folder: Path) -> None:
    """Runs the blocks of `page` in `folder`, in order; fails naming the line of the first that does not do as shown."""
    for block in blocks(page):
        if name := block.mark("file"):
            (folder / name).write_text(block.text, encoding="utf-8")
        if block.reason_not_to_run:
            continue
        if block.language == "console":
            for command, shown in commands(block.text):
                _run_command(command, shown, folder, block)
        elif block.language == "python":
            _must_pass(subprocess_of([sys.executable, "-c", block.text], folder), "python", block)
        elif block.language == "yaml":
            _bind_recipe(block, folder)


def subprocess_of(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    tools = folder / ".bin"
    tools.mkdir(exist_ok=True)
    (tools / "luthier").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m luthier "$@"\n')
    (tools / "luthier").chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "120"}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
    )


def _run_command(command: str, shown: list[str], folder: Path, block: Block) -> None:
    done = subprocess_of(["sh", "-c", command], folder)
    _must_pass(done, command, block)
    if "exact" in block.marks.split():
        pattern = ".*".join(re.escape(part) for part in "\n".join(shown).strip().split("..."))
        assert re.fullmatch(pattern, done.stdout.strip(), re.DOTALL), (
            f"line {block.line}: {command} says:\n{done.stdout}"
        )


def _must_pass(done: subprocess.CompletedProcess[str], what: str, block: Block) -> None:
    assert done.returncode == 0, f"line {block.line}: {what} ends with {done.returncode}:\n{done.stdout}{done.stderr}"


def _bind_recipe(block: Block, folder: Path) -> None:
    recipe = folder / ".recipe.yaml"
    recipe.write_text(block.text, encoding="utf-8")
    name = block.mark("verb", "tune")
    if name == "catalogue":
        open_catalogue("fiddle", str(recipe))
        return
    bind(cli.command(name).Spec, read_mapping(recipe), where=f"line {block.line}", source="file")


# ------------------------------------------------------------------ our pages


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_runs(page: Path, tmp_path: Path) -> None:
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    run_page(page.read_text(encoding="utf-8"), tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_example_that_is_not_run_says_why(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        if "no-run" in block.marks:
            assert len(block.reason_not_to_run) >= 8, f"{page.name}:{block.line}: write no-run: and the reason"
        elif block.language == "console":
            assert block.text.startswith("$ "), f"{page.name}:{block.line}: a console block starts with a command"
        else:
            assert block.language not in {"sh", "bash"}, f"{page.name}:{block.line}: write it as console"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link and "@" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


def test_tables_are_those_of_the_specs_and_routes() -> None:
    pages = ((docs.PAGE, docs.renewed), (docs.SERVER, docs.renewed_server), (docs.README, docs.renewed_readme))
    for file, renew in pages:
        page = file.read_text(encoding="utf-8")
        assert page == renew(page), f"{file.name} is out of date; run make docs"


def test_the_table_of_resources_describes_what_is_routed() -> None:
    routed = {endpoint.path.split("/")[1] for endpoint in ENDPOINTS}
    assert set(docs.RESOURCES) == routed


@pytest.mark.parametrize("name", cli.commands())
def test_every_option_of_every_verb_is_described(name: str) -> None:
    from luthier.config import fields

    assert [field.name for field in fields(cli.command(name).Spec) if not field.description or not field.group] == []


# ------------------------------------------------------------------ the runner itself


def page_of(*parts: str) -> str:
    return "\n".join(parts).replace("~~~", "```") + "\n"


def test_blocks_run_in_order_in_one_folder(tmp_path: Path) -> None:
    run_page(
        page_of(
            "~~~jsonl file=rows.jsonl\n{}\n~~~",
            "~~~console\n$ cat rows.jsonl > copy.jsonl\n$ test -s copy.jsonl && \\\n> test -s rows.jsonl\n~~~",
            "~~~python\nfrom pathlib import Path\nassert Path('copy.jsonl').read_text() == '{}\\n'\n~~~",
            "~~~console no-run: it would never end\n$ false\n~~~",
        ),
        tmp_path,
    )


@pytest.mark.parametrize(
    "block",
    [
        "~~~console\n$ true\n$ false\n~~~",
        "~~~python\nraise SystemExit(3)\n~~~",
        "~~~console exact\n$ echo hello\nhullo\n~~~",
    ],
)
def test_an_example_that_does_not_do_as_shown_fails_with_its_line(tmp_path: Path, block: str) -> None:
    with pytest.raises(AssertionError, match="line 3"):
        run_page(page_of("# A page", "", block), tmp_path)


def test_exact_output_may_leave_out_what_varies(tmp_path: Path) -> None:
    run_page(page_of("~~~console exact\n$ echo took 3.1 s, loss 1.5\ntook ... s, loss 1.5\n~~~"), tmp_path)


class Loudness(Options):
    title = "Voice"
    loudness: int = Field(1, ge=0, description="How loud | how far, in dB.")


class Tempo(Options):
    title = "Tempo"
    fast: bool = Field(True, description="Sing fast.")


class Song(Loudness, Tempo):
    title = "Voice"
    songs: Annotated[tuple[str, ...], Positional()] = Field(description="What to sing.")


@pytest.fixture
def sing(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sing", "Sings.\n\nMore.")
    module.Spec = Song  # type: ignore[attr-defined]
    for place in (cli, docs):
        monkeypatch.setattr(place, "command", lambda name: module)
    monkeypatch.setattr(docs, "commands", lambda: ["sing"])


@pytest.mark.usefixtures("sing")
def test_recipes_are_bound(tmp_path: Path) -> None:
    run_page(page_of("~~~yaml verb=sing\nloudness: 3\nsongs: [la]\n~~~"), tmp_path)
    with pytest.raises(SpecError, match="line 1: unknown key 'volume'"):
        run_page(page_of("~~~yaml verb=sing\nvolume: 3\nsongs: [la]\n~~~"), tmp_path)


@pytest.mark.usefixtures("sing")
def test_tables_are_added_renewed_and_removed() -> None:
    page = docs.renewed("# Options\n")
    assert "## luthier sing\n\nSings.\n\n<!-- options:sing -->\n**Voice**\n" in page
    assert page.count("**Voice**") == page.count("**Tempo**") == 1
    assert page.index("| `SONGS` text ... | required | What to sing. |") < page.index("| `loudness`")
    assert "| `loudness` integer | `1` | How loud \\| how far, in dB. |" in page
    assert "| `fast` true \\| false | `true` | Sing fast. |" in page
    assert docs.renewed(page) == page
    assert docs.renewed(page.replace("`1`", "`2`")) == page
    assert "dance" not in docs.renewed(page + "<!-- options:dance -->\nold\n<!-- /options -->\n")
