"""A child process under limits: what it answers, how it ends, and that the next call works."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from luthier.errors import Interrupted
from luthier.sandbox.child import Child, ChildError, Limits

HOSTILE = "sandbox.hostile"


@pytest.fixture
def child() -> Iterator[Child]:
    with Child(Limits(memory_bytes=600 * 2**20, answer_bytes=2**20)) as one:
        yield one


def ask(child: Child, name: str, timeout_s: float = 30, **arguments: object) -> object:
    return child.call(f"{HOSTILE}:{name}", arguments, timeout_s=timeout_s)


def test_values_pass_both_ways_and_prints_do_not_disturb(child: Child) -> None:
    assert ask(child, "echo", text="ä\n\u2028 \ud800", many=[1, None]) == {
        "text": "ä\n\u2028 \ud800",
        "many": [1, None],
    }
    assert ask(child, "process_id") == ask(child, "process_id") != os.getpid()


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("hang", "time", "took longer than 0.5 s"),
        ("spin", "time", "took longer than 0.5 s"),
        ("crash", "crash", "SIGABRT"),
        ("leave", "crash", "exit code 7"),
    ],
)
def test_a_call_that_ends_its_process_is_told_and_the_next_one_works(
    child: Child, name: str, reason: str, said: str
) -> None:
    before = ask(child, "process_id")
    with pytest.raises(ChildError, match=said) as caught:
        ask(child, name, timeout_s=0.5 if reason == "time" else 30)
    assert caught.value.reason == reason
    assert ask(child, "process_id") != before
    assert not psutil.pid_exists(before)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("eat", "memory", "memory"),
        ("fail", "fault", "ValueError: two lines"),
        ("refuse", "refused", "here: is not readable; try another"),
        ("dig", "fault", "nested too deeply"),
    ],
)
def test_a_call_that_fails_leaves_the_process(child: Child, name: str, reason: str, said: str) -> None:
    before = ask(child, "process_id")
    with pytest.raises(ChildError, match=said) as caught:
        ask(child, name)
    assert caught.value.reason == reason
    assert ask(child, "process_id") == before


def test_an_answer_that_is_too_large_is_not_read(child: Child) -> None:
    with pytest.raises(ChildError, match="gives more than 1,048,576 bytes") as caught:
        ask(child, "flood", size_bytes=3 * 2**20)
    assert caught.value.reason == "size"
    assert ask(child, "echo") == {}


def test_a_process_is_replaced_after_so_many_calls() -> None:
    with Child(Limits(calls=3)) as child:
        seen = [ask(child, "process_id") for _ in range(7)]
    assert [seen.count(one) for one in dict.fromkeys(seen)] == [3, 3, 1]
    assert child.started == 3


def test_a_process_that_has_grown_is_replaced() -> None:
    with Child(Limits(recycle_bytes=60 * 2**20)) as child:
        seen = [ask(child, "hold", megabytes=size) for size in (1, 10, 100, 1)]
    assert [seen.count(one) for one in dict.fromkeys(seen)] == [3, 1]


def test_keys_of_the_environment_do_not_reach_it(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTHIER_KEY", "secret")
    found = ask(child, "environment")
    assert isinstance(found, dict)
    assert "secret" not in found.values()
    assert set(found) <= {
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TMPDIR",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "PYTHONPATH",
    }


def test_a_call_can_be_stopped(child: Child) -> None:
    ask(child, "echo")
    asked = iter([False, True])
    with pytest.raises(Interrupted):
        child.call(f"{HOSTILE}:hang", {}, timeout_s=60, stop=lambda: next(asked))
    assert ask(child, "echo") == {}


@pytest.mark.parametrize("busy", [False, True])
def test_a_child_whose_parent_was_killed_ends_by_itself(busy: bool) -> None:
    code = (
        "import sys\nfrom luthier.sandbox.child import Child\nchild = Child()\n"
        f"print(child.call('{HOSTILE}:process_id', {{}}, timeout_s=9), flush=True)\n"
        f"{busy} and child.call('{HOSTILE}:hang', {{}}, timeout_s=0.5, stop=lambda: print('hangs', flush=True))\n"
        "sys.stdin.read()\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    if busy:
        assert parent.stdout.readline() == "hangs\n"
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    child.wait(30)  # TimeoutExpired where it goes on
