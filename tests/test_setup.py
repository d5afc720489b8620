"""scripts/setup.sh with a PATH of stand-ins: nothing is downloaded, and every way it can be cut off is tried."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from house import ROOT

PYTHON_STAND_IN = """#!/bin/sh
case "$*" in
  "-m venv "*)
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\nSITE="%s" ROOM="%s" exec sh "%s" "$@"\\n' "$PWD/$3" "{room}" "{pip}" >"$3/bin/python"
    chmod +x "$3/bin/python" ;;
  *) exec {real} "$@" ;;
esac
"""
"""Runs as the real interpreter does, but the environments it makes hold only the stand-in below."""

PIP_STAND_IN = """
HANG='import sys, time
for name in sys.argv[1:]: open(name, "w").close()
time.sleep(60)'
case "$*" in
  "-m pip --version") exit 0 ;;
  "-m pip install"*)
    printf '%s\\n' "$*" >>"$ROOM/calls"
    if [ -e "$ROOM/slow" ]; then exec "$(cat "$ROOM/real")" -c "$HANG" "$SITE/half-installed" "$ROOM/started"; fi
    if [ -e "$ROOM/offline" ]; then echo "no route to the index" >&2; exit 1; fi
    case "$*" in *whl/cpu*) echo 2.13.0+cpu >"$SITE/torch" ;; esac
    [ -e "$SITE/torch" ] || echo 2.13.0 >"$SITE/torch" ;;
  *version_info* | *sys.version.split*) cat "$ROOM/version" ;;
  *'version("torch")'*) cat "$SITE/torch" 2>/dev/null ;;
  *urlopen*) [ -e "$ROOM/index-answers" ] ;;
  *-V*) echo "Python $(cat "$ROOM/version")" ;;
esac
"""
"""The python of such an environment: notes what pip was asked, and fails or hangs when a file says so.

What hangs is one Python process, as pip is: a shell with a child would be a race of its own for the signal.
"""


def _hear_interrupts() -> None:
    """As on a terminal: what a shell starts in the background is made to ignore Ctrl-C, and would pass that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Bench:
    """A checkout with only what the script reads, and a PATH with only what it needs and the Pythons put there."""

    def __init__(self, folder: Path) -> None:
        self.room, self.checkout, self.bin = folder / "room", folder / "a checkout", folder / "bin"
        for made in (self.room, self.bin, self.checkout):
            made.mkdir(parents=True)
        lists = ("examples/requirements.txt", "tests/compat/clients/dspy.txt")
        for place in ("scripts/setup.sh", "pyproject.toml", "constraints.txt", *lists):
            (self.checkout / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / place, self.checkout / place)
        for tool in ("sh", "cat", "cksum", "dirname", "mkdir", "mv", "rm", "sed", "sleep", "touch", "uname", "chmod"):
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        (self.room / "version").write_text("3.11.7\n")
        (self.room / "real").write_text(sys.executable)
        (self.room / "pip.sh").write_text(PIP_STAND_IN)

    def script(self, name: str, text: str) -> Path:
        file = self.bin / name
        file.write_text(text)
        file.chmod(0o755)
        return file

    def python(self, name: str = "python3.11") -> Path:
        text = PYTHON_STAND_IN.format(pip=self.room / "pip.sh", room=self.room, real=sys.executable)
        return self.script(name, text)

    def environment(self, **more: str) -> dict[str, str]:
        return {"PATH": str(self.bin), "HOME": str(self.room), **more}

    def run(self, kind: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", "scripts/setup.sh", kind]
        return subprocess.run(
            command,
            cwd=self.checkout,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, kind: str, shell: str = "sh") -> subprocess.Popen[str]:
        """Starts a set-up that hangs in pip, and returns once it does."""
        (self.room / "slow").touch()
        command = [shutil.which(shell) or shell, "scripts/setup.sh", kind]
        process = subprocess.Popen(
            command,
            cwd=self.checkout,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_hear_interrupts,
        )
        until(lambda: (self.room / "started").exists())
        (self.room / "slow").unlink()
        return process

    def calls(self) -> list[str]:
        """Returns what pip was asked since the last time."""
        file = self.room / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


def until(true: object, limit_s: float = 20) -> None:
    end = time.monotonic() + limit_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def no_driver() -> bool:
    return not Path("/proc/driver/nvidia/version").exists() and not Path("/usr/lib/wsl/lib/nvidia-smi").exists()


bare_linux = pytest.mark.skipif(
    sys.platform != "linux" or not no_driver(), reason="the choice of torch is made on Linux without a driver"
)


# ------------------------------------------------------------------ which Python


def test_the_newest_python_that_works_is_taken(bench: Bench) -> None:
    bench.script("python3.13", "#!/bin/sh\necho 'shim: python3.13: command not found' >&2\nexit 127\n")
    bench.script("python3.12", "#!/bin/sh\necho 'cannot make environments'\n")
    expected = bench.python("python3.11")
    bench.python("python3")
    assert bench.run("python").stdout.strip() == str(expected)


def test_a_shim_does_not_hide_the_python_behind_it(bench: Bench, tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "python3.12").write_text("#!/bin/sh\nexit 127\n")
    (shims / "python3.12").chmod(0o755)
    expected = bench.python("python3.12")
    assert bench.run("python", PATH=f"{shims}:{bench.bin}").stdout.strip() == str(expected)


def test_python3_will_do_when_its_version_does(bench: Bench) -> None:
    expected = bench.python("python3")
    assert bench.run("python").stdout.strip() == str(expected)


def test_a_named_python_is_the_only_one_tried(bench: Bench) -> None:
    bench.python("python3.13")
    expected = bench.python("mine")
    assert bench.run("python", PYTHON=str(expected)).stdout.strip() == str(expected)
    refused = bench.run("python", PYTHON="/nowhere/python3")
    assert refused.returncode == 1
    assert "tried: /nowhere/python3 does not run" in refused.stderr


def other_python(missing: str, version: str) -> str:
    """Returns a Python that says it is `version` and cannot import the module `missing`."""
    start = f"import sys; sys.version_info = {version}; sys.modules[{missing!r}] = None; exec(sys.argv[2])"
    return f'#!/bin/sh\nexec {sys.executable} -c "{start}" "$@"\n'


def test_a_python_that_cannot_make_environments_is_passed_over_and_its_cure_named(bench: Bench) -> None:
    bench.script("python3.12", other_python("ensurepip", "(3, 12, 1)"))
    refused = bench.run("dev")
    assert refused.returncode == 1
    assert "apt-get install python3.12-venv" in refused.stderr
    assert not (bench.checkout / ".venv").exists()
    expected = bench.python("python3.11")
    assert bench.run("python").stdout.strip() == str(expected)


def test_with_an_old_python_only_the_error_says_what_to_install(bench: Bench) -> None:
    bench.script("python3", other_python("nothing", "(3, 10, 2)"))
    refused = bench.run("dev")
    assert refused.returncode == 1
    assert "tried: " in refused.stderr
    assert "is Python 3.10, not 3.11 to 3.13" in refused.stderr
    assert "apt-get install python3" in refused.stderr


def test_with_no_python_at_all_the_error_says_what_to_install(bench: Bench) -> None:
    refused = bench.run("dev")
    assert refused.returncode == 1
    assert "apt-get install python3" in refused.stderr
    assert "brew install" in refused.stderr


# ------------------------------------------------------------------ once, and again only when something changed


def test_the_second_time_nothing_is_done(bench: Bench) -> None:
    bench.python()
    first = bench.run("dev")
    assert (first.returncode, first.stderr) == (0, "")
    assert bench.calls()[-1].endswith("--editable .[dev]")
    again = bench.run("dev")
    assert (again.returncode, again.stdout, bench.calls()) == (0, "", [])


def test_the_test_tools_include_what_the_demo_needs_but_not_the_reverse(bench: Bench) -> None:
    bench.python()
    bench.run("core")
    assert bench.calls()[-1].endswith("--editable .")
    bench.run("dev")
    assert bench.calls()[-1].endswith("--editable .[dev]")
    bench.run("core")
    assert bench.calls() == []


def test_the_set_up_works_with_no_index_once_it_is_done(bench: Bench) -> None:
    bench.python()
    bench.run("dev")
    (bench.room / "offline").touch()
    assert bench.run("dev").returncode == 0
    assert bench.run("core").returncode == 0


@pytest.mark.parametrize("place", ["pyproject.toml", "constraints.txt", "scripts/setup.sh"])
def test_a_change_of_what_is_installed_installs_again(bench: Bench, place: str) -> None:
    bench.python()
    bench.run("dev")
    bench.calls()
    with (bench.checkout / place).open("a") as file:
        file.write("# changed\n")
    assert "fetching what is new" in bench.run("dev").stdout
    assert bench.calls()[-1].endswith("--editable .[dev]")


def test_another_version_of_python_installs_again(bench: Bench) -> None:
    bench.python()
    bench.run("dev")
    bench.calls()
    (bench.room / "version").write_text("3.11.9\n")
    bench.run("dev")
    assert bench.calls() != []


def test_a_checkout_that_was_moved_is_set_up_anew(bench: Bench) -> None:
    bench.python()
    bench.run("dev")
    bench.calls()
    bench.checkout = bench.checkout.rename(bench.checkout.with_name("elsewhere"))
    assert "making it with" in bench.run("dev").stdout
    assert bench.calls()[-1].endswith("--editable .[dev]")


def test_an_environment_whose_python_is_gone_is_made_anew(bench: Bench) -> None:
    bench.python()
    bench.run("dev")
    (bench.checkout / ".venv/bin/python").unlink()
    assert "making it with" in bench.run("dev").stdout


def test_other_peoples_code_has_an_environment_of_its_own(bench: Bench) -> None:
    bench.python()
    assert bench.run("compat").returncode == 0
    assert bench.calls()[-1].endswith("torch transformers peft wandb")
    assert (bench.checkout / ".venv-compat/bin/python").exists()
    assert not (bench.checkout / ".venv").exists()


def test_the_evaluation_harness_has_an_environment_of_its_own(bench: Bench) -> None:
    bench.python()
    assert bench.run("lm-eval").returncode == 0
    assert "lm-eval[api,hf]==" in bench.calls()[-1]
    assert (bench.checkout / ".venv-lm-eval/bin/python").exists()
    assert not (bench.checkout / ".venv").exists()
    assert (bench.run("lm-eval").stdout, bench.calls()) == ("", [])


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("openai-2.44.0", "openai==2.44.0"),
        ("notebooks", "--requirement examples/requirements.txt"),
        ("client-dspy", "--no-deps --no-compile --requirement tests/compat/clients/dspy.txt"),
    ],
)
def test_what_only_talks_to_the_server_gets_no_torch_and_none_of_our_pins(bench: Bench, kind: str, asked: str) -> None:
    bench.python()
    (bench.room / "index-answers").touch()
    assert bench.run(kind).returncode == 0
    assert bench.calls() == [f"-m pip install --quiet --no-input {asked}"]
    assert (bench.checkout / f".venv-{kind}/bin/python").exists()
    assert (bench.run(kind, TORCH="cuda").stdout, bench.calls()) == ("", [])


def test_a_change_of_what_the_notebooks_need_installs_again(bench: Bench) -> None:
    bench.python()
    bench.run("notebooks")
    bench.run("dev")
    bench.calls()
    with (bench.checkout / "examples/requirements.txt").open("a") as file:
        file.write("# changed\n")
    bench.run("notebooks")
    assert len(bench.calls()) == 1
    assert (bench.run("dev").stdout, bench.calls()) == ("", []), "it is no concern of the others"


# ------------------------------------------------------------------ cut off


def test_a_failed_installation_is_tried_again_on_what_is_there(bench: Bench) -> None:
    bench.python()
    (bench.room / "offline").touch()
    failed = bench.run("dev")
    assert failed.returncode == 1
    assert "no route to the index" in failed.stderr
    assert "HTTPS_PROXY" in failed.stderr
    (bench.room / "offline").unlink()
    again = bench.run("dev")
    assert again.returncode == 0
    assert "making it with" not in again.stdout
    assert bench.run("dev").stdout == ""


SHELLS = [shell for shell in ("sh", "bash") if shutil.which(shell)]  # sh is bash on some machines: its traps differ


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_set_up_that_was_killed_starts_afresh(bench: Bench, number: signal.Signals, shell: str) -> None:
    bench.python()
    process = bench.start("dev", shell)
    os.killpg(process.pid, number)
    process.communicate(timeout=20)
    assert process.returncode != 0
    again = bench.run("dev")
    assert again.returncode == 0
    assert "cut off; starting afresh" in again.stdout
    assert not (bench.checkout / ".venv/half-installed").exists()
    bench.calls()
    assert (bench.run("dev").stdout, bench.calls()) == ("", [])


def test_what_was_ready_before_a_killed_change_is_not_trusted_when_the_change_is_undone(bench: Bench) -> None:
    bench.python()
    bench.run("dev")
    pins = bench.checkout / "constraints.txt"
    before = pins.read_text()
    pins.write_text(before + "# changed\n")
    process = bench.start("dev")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    pins.write_text(before)
    assert "starting afresh" in bench.run("dev").stdout


def test_two_set_ups_at_once_take_turns(bench: Bench) -> None:
    bench.python()
    first = bench.start("dev")
    second = subprocess.Popen(
        ["sh", "scripts/setup.sh", "dev"],
        cwd=bench.checkout,
        env=bench.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert second.stdout is not None
    assert "another set-up is running" in second.stdout.readline()
    assert second.poll() is None
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate(timeout=20)
    said, _ = second.communicate(timeout=30)
    assert second.returncode == 0
    assert "starting afresh" in said


# ------------------------------------------------------------------ which torch


@bare_linux
def test_without_a_driver_the_cpu_index_is_used_when_it_answers(bench: Bench) -> None:
    bench.python()
    (bench.room / "index-answers").touch()
    said = bench.run("dev").stdout
    assert "the CPU build" in said
    assert "about 560 MB to download" in said
    (torch,) = [call for call in bench.calls() if "whl/cpu" in call]
    assert torch.endswith(f"--index-url https://download.pytorch.org/whl/cpu {pin()}")


@bare_linux
def test_without_a_driver_and_without_that_index_the_plain_pin_is_taken(bench: Bench) -> None:
    bench.python()
    said = bench.run("dev").stdout
    assert "did not answer within 5 s" in said
    assert "3 GB" in said
    calls = bench.calls()
    assert not any("whl/cpu" in call for call in calls)
    assert all("--constraint constraints.txt" in call for call in calls)


@bare_linux
def test_with_a_driver_the_cuda_build_is_taken(bench: Bench) -> None:
    bench.python()
    (bench.room / "index-answers").touch()
    bench.script("nvidia-smi", "#!/bin/sh\n")
    said = bench.run("dev").stdout
    assert "about 3 GB to download" in said
    assert not any("whl/cpu" in call for call in bench.calls())


@bare_linux
def test_a_choice_by_hand_replaces_the_build_that_is_there_and_is_then_kept(bench: Bench) -> None:
    bench.python()
    bench.run("dev")
    bench.calls()
    assert bench.run("dev", TORCH="cpu").returncode == 0
    assert any("whl/cpu" in call for call in bench.calls())
    for choice in ({"TORCH": "cpu"}, {}):
        assert bench.run("dev", **choice).returncode == 0
        assert bench.calls() == []


@bare_linux
def test_cuda_by_hand_is_refused_when_pip_finds_only_the_cpu_build(bench: Bench) -> None:
    bench.python()
    (bench.room / "index-answers").touch()
    bench.run("dev")
    refused = bench.run("dev", TORCH="cuda")
    assert refused.returncode == 1
    assert "TORCH=cuda: pip found only torch 2.13.0+cpu" in refused.stderr


def test_any_other_choice_is_refused(bench: Bench) -> None:
    bench.python()
    refused = bench.run("dev", TORCH="rocm")
    assert refused.returncode == 1
    assert "TORCH=rocm: write TORCH=cpu or TORCH=cuda" in refused.stderr


# ------------------------------------------------------------------ the pins


def pin() -> str:
    (line,) = [line for line in constraints() if line.startswith("torch==")]
    return line


def constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_part_is_pinned_exactly_and_to_no_build_of_one_machine() -> None:
    assert [line for line in constraints() if line.count("==") != 1 or "+" in line] == []
    assert pin() == "torch==2.13.0"


def test_every_part_that_pyproject_names_is_pinned() -> None:
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = project["dependencies"] + project["optional-dependencies"]["dev"] + ["pip", "setuptools"]
    pinned = {re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower() for line in constraints()}
    names = {re.sub(r"[-_.]+", "-", re.split(r"[<>=!\[; ]", part)[0]).lower() for part in named}
    assert names - pinned == set()
