"""The house rules that a reader could not check by eye: levels, cycles, names, sizes, and no torch where not needed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from house import ROOT, Run

PACKAGE = ROOT / "src" / "luthier"

LEVELS: Mapping[str, float] = {
    **dict.fromkeys(["errors"], 0.0),
    **dict.fromkeys(["registry"], 0.1),
    **dict.fromkeys(["config"], 0.2),
    **dict.fromkeys(["report"], 0.3),
    **dict.fromkeys(["records"], 0.4),
    **dict.fromkeys(["sandbox"], 0.9),
    **dict.fromkeys(["reports", "sources", "store"], 1.0),
    **dict.fromkeys(["access"], 1.1),
    **dict.fromkeys(["tokens"], 2.0),
    **dict.fromkeys(["models"], 2.1),
    **dict.fromkeys(["encoding"], 2.2),
    **dict.fromkeys(["generation", "retrieval", "objectives"], 3),
    **dict.fromkeys(["evaluation"], 3.1),
    **dict.fromkeys(["training", "synthesis", "guard"], 4),
    **dict.fromkeys(["workflows"], 5),
    **dict.fromkeys(["server"], 6),
    **dict.fromkeys(["arguments", "terminal"], 7.0),
    **dict.fromkeys(["cli"], 7.1),
    **dict.fromkeys(["__init__", "__main__"], 7.2),
}
"""A room may import only rooms of a strictly lower level. `__init__` is the Python door."""

FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "base", "core", "misc"})
FORBIDDEN_ENDINGS = ("Manager", "Helper", "Utils", "Util", "Misc")
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 50

ALLOWED_SIZES: Mapping[str, str] = {}
"""At most 10: "room/file.py" or "room/file.py:function" -> why it may be longer than the limit."""

HEAVY = ("torch", "transformers", "tokenizers", "numpy", "scipy", "pyarrow", "pandas")

TARGET = re.compile(r"^luthier(\.\w+)+(:\w+)?$")
"""A string that names one of our modules counts as an import where levels are checked: registries load what it points
at. It makes no circle: a member may import its family's type from the module that names it, as a third party's does."""


def modules(package: Path) -> dict[str, Path]:
    """Returns every module under `package` by its dotted name, which starts with `luthier`."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        found[".".join(("luthier", *(parts[:-1] if parts[-1] == "__init__" else parts)))] = file
    return found


def imports(name: str, file: Path, known: Mapping[str, Path], *, strings: bool = True) -> Iterator[tuple[str, int]]:
    """Yields each module of ours that `file` imports anywhere in it, or names in `strings`, with the line."""
    parent = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(parent.split(".")[: len(parent.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [start, node.module]))
            targets = [f"{module}.{alias.name}" for alias in node.names]
            if module == "luthier":
                targets = [target for target in targets if not target.startswith("luthier.__")]
        elif strings and isinstance(node, ast.Constant) and isinstance(node.value, str) and TARGET.match(node.value):
            targets = [node.value.partition(":")[0]]
            if targets[0] not in known:
                continue  # an entry-point group or a name that only looks like one of ours
        else:
            continue
        for target in targets:
            if target.split(".")[0] == "luthier":
                yield _module_of(target, known), node.lineno


def _module_of(target: str, known: Mapping[str, Path]) -> str:
    while target not in known and "." in target:
        target = target.rpartition(".")[0]
    return target


def room(module: str) -> str:
    """Returns the package or module directly under `luthier` that `module` is in."""
    return module.split(".")[1] if "." in module else "__init__"


def level_violations(package: Path) -> list[str]:
    known, wrong = modules(package), []
    for name, file in known.items():
        if room(name) not in LEVELS:
            wrong.append(f"{name}: the room {room(name)!r} has no level; give it one in LEVELS")
            continue
        for target, line in imports(name, file, known):
            mine, theirs = room(name), room(target)
            if mine != theirs and LEVELS.get(theirs, 0) >= LEVELS[mine]:
                wrong.append(f"{name}:{line} (level {LEVELS[mine]}) imports {target} (level {LEVELS.get(theirs)})")
    return wrong


def cycles(package: Path) -> list[str]:
    """Returns the groups of modules that import each other, directly or round about."""
    known = modules(package)
    graph = {name: {t for t, _ in imports(name, file, known, strings=False)} - {name} for name, file in known.items()}
    reach = {name: _reachable(name, graph) for name in graph}
    groups = {tuple(sorted(b for b in reach[a] if a in reach[b])) for a in graph if a in reach[a]}
    return [" <-> ".join(group) for group in sorted(groups)]


def _reachable(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for target in graph.get(waiting.pop(), set()) - seen:
            seen.add(target)
            waiting.append(target)
    return seen


def name_violations(package: Path) -> list[str]:
    wrong = []
    for name, file in modules(package).items():
        words = set(name.split(".")[-1].strip("_").split("_"))
        if set(name.split(".")) & FORBIDDEN_NAMES or words & (FORBIDDEN_NAMES - {"base", "core"}):
            wrong.append(f"{name}: says nothing about what is in it")
        classes = (n.name for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, ast.ClassDef))
        wrong += [f"{name}.{c}: says nothing about what it is" for c in classes if c.endswith(FORBIDDEN_ENDINGS)]
    return wrong


def shared_names(package: Path) -> list[str]:
    """Returns packages that a public function is named after: `luthier.x` must be one thing."""
    packages = {file.parent.name for file in package.rglob("__init__.py") if file.parent != package}
    wrong = []
    for name, file in modules(package).items():
        top = ast.parse(file.read_text(encoding="utf-8")).body
        functions = [node.name for node in top if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        wrong += [f"{name}.{function}: a package has that name" for function in functions if function in packages]
    return wrong


def size_violations(package: Path, allowed: Mapping[str, str]) -> list[str]:
    too_long = {place: lines for place, lines, limit in _sizes(package) if lines > limit}
    wrong = [f"{place}: {lines} lines" for place, lines in too_long.items() if place not in allowed]
    return wrong + [f"{place}: no longer too long; take it off the list" for place in allowed if place not in too_long]


def _sizes(package: Path) -> Iterator[tuple[str, int, int]]:
    for file in modules(package).values():
        text, place = file.read_text(encoding="utf-8"), file.relative_to(package).as_posix()
        yield place, len(text.splitlines()), MAX_FILE_LINES
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{place}:{node.name}", (node.end_lineno or 0) - node.lineno + 1, MAX_FUNCTION_LINES


def test_a_room_imports_only_lower_levels() -> None:
    assert level_violations(PACKAGE) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert cycles(PACKAGE) == []


def test_names_say_what_is_inside() -> None:
    assert name_violations(PACKAGE) == []


def test_no_package_shares_a_name_with_a_public_function() -> None:
    import luthier

    packages = {file.parent.name for file in PACKAGE.rglob("__init__.py")}
    assert shared_names(PACKAGE) == []
    assert packages & set(dir(luthier)) == set(), "a verb is called like a package"


def test_files_and_functions_stay_short() -> None:
    assert size_violations(PACKAGE, ALLOWED_SIZES) == []
    assert len(ALLOWED_SIZES) <= 10
    assert all(len(reason) > 20 for reason in ALLOWED_SIZES.values())


def light_modules() -> list[str]:
    """Returns the modules that must not load torch: doors, server, store, every `options` and every verb."""
    rooms = {"__init__", "cli", "arguments", "terminal", "config", "workflows", "server", "store"}
    known = [name for name in modules(PACKAGE) if ".migrations." not in name]
    return [name for name in known if room(name) in rooms or name.endswith(".options")]


def test_doors_options_and_verbs_do_not_load_torch(fresh_python: Run) -> None:
    code = (
        "import importlib, sys\n"
        f"heavy, loaded = {HEAVY!r}, set()\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    new = {part for part in heavy if part in sys.modules} - loaded\n"
        "    loaded |= new\n"
        "    if new: print(name, 'loads', *sorted(new))\n"
    )
    done = fresh_python(code, *light_modules())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# The rules themselves, on a small tree that breaks each of them once.

FAKE = {
    "__init__.py": "from luthier import workflows\n",
    "errors.py": "class Wrong(Exception): ...\n",
    "config.py": "from luthier.errors import Wrong\n",
    "records/__init__.py": "",
    "tokens/__init__.py": "from luthier.config import x\nfrom luthier import __version__\n",
    "models/__init__.py": "import luthier.tokens\n",
    "generation/__init__.py": "from ..models import y\n",
    "objectives/__init__.py": "FAMILY = {'sft': 'luthier.objectives.language:sft'}\n",
    "objectives/language.py": "from luthier.objectives import FAMILY\n",
    "workflows/__init__.py": "",
    "workflows/tune.py": "def run():\n    from luthier import generation\n    return 'luthier.objectives'\n",
}


def tree(folder: Path, **changes: str) -> Path:
    for place, text in {**FAKE, **{name.replace("__in__", "/"): text for name, text in changes.items()}}.items():
        file = folder / (place if place.endswith(".py") else f"{place}.py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def every_violation(package: Path) -> list[str]:
    found = [level_violations(package), cycles(package), name_violations(package), shared_names(package)]
    return [line for lines in found for line in lines] + size_violations(package, {})


def test_a_tidy_tree_passes(tmp_path: Path) -> None:
    assert every_violation(tree(tmp_path)) == []


@pytest.mark.parametrize(
    ("place", "text", "said"),
    [
        (
            "tokens__in__pack",
            "from luthier.models import y\n",
            "luthier.tokens.pack:1 (level 2.0) imports luthier.models",
        ),
        ("tokens__in__pack", "def f():\n    import luthier.workflows.tune\n", "luthier.tokens.pack:2 (level 2.0)"),
        ("tokens__in__pack", "from ..models import y\n", "imports luthier.models"),
        ("tokens__in__pack", "KNOWN = {'tune': 'luthier.workflows.tune:run'}\n", "imports luthier.workflows.tune"),
        (
            "models__in__load",
            "from luthier import cli\n",
            "luthier.models.load:1 (level 2.1) imports luthier (level 7.2)",
        ),
        ("objectives__in__language", "import luthier.generation\n", "luthier.objectives.language:1 (level 3)"),
        ("errors", "import luthier.config\n", "luthier.errors:1 (level 0.0) imports luthier.config"),
        ("kitchen__in__sink", "", "'kitchen' has no level"),
        ("records__in__a", "def f():\n    from luthier.records import b\n", "luthier.records.a <-> luthier.records.b"),
        ("models__in__utils", "", "luthier.models.utils: says nothing"),
        ("models__in__load_helpers", "", "luthier.models.load_helpers: says nothing"),
        ("models__in__core", "", "luthier.models.core: says nothing"),
        ("models__in__load", "class LoadManager: ...\n", "luthier.models.load.LoadManager: says nothing"),
        ("models__in__load", "async def tokens(): ...\n", "luthier.models.load.tokens: a package has that name"),
        ("models__in__load", "x = 1\n" * 401, "models/load.py: 401 lines"),
        ("models__in__load", "class A:\n    def f(self):\n" + "        x = 1\n" * 50, "models/load.py:f: 51 lines"),
    ],
)
def test_each_violation_is_found(tmp_path: Path, place: str, text: str, said: str) -> None:
    package = tree(tmp_path, **{"records__in__b": "import luthier.records.a\n", place: text})
    assert any(said in line for line in every_violation(package)), every_violation(package)


def test_limits_are_inclusive_and_the_list_is_kept_short(tmp_path: Path) -> None:
    body = "def f():\n" + "    x = 1\n" * 49
    package = tree(tmp_path, models__in__load=body + "y = 2\n" * 350)
    assert size_violations(package, {}) == []
    assert size_violations(package, {"models/load.py": "why"}) == [
        "models/load.py: no longer too long; take it off the list"
    ]
    assert size_violations(tree(tmp_path, models__in__load="x = 1\n" * 401), {"models/load.py": "why"}) == []
