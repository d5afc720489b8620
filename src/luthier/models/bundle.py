"""What stands beside exported weights so that vLLM serves them as Luthier does: a start script, and how to check it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Literal

from luthier.errors import ModelError
from luthier.models.adapters import adapter_config
from luthier.models.load import LoadedModel
from luthier.models.resolve import EMBEDDED

SCRIPT, TEMPLATE, SETTINGS = "serve.sh", "chat_template.jinja", "generation_config.json"
LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM's --max-lora-rank takes."""
Form = Literal["merged", "adapter"]

_HEAD = """#!/bin/sh
# Starts vLLM with this model:  sh serve.sh [flags of vLLM]
# HOST, PORT and NAME, where they are set, change where it listens and what the model is called there.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if ! command -v vllm >/dev/null 2>&1; then
  echo "serve.sh: vllm is not installed here; set it up in an environment of its own: pip install vllm" >&2
  exit 127
fi
"""


def check_bundle(loaded: LoadedModel, form: Form) -> None:
    """Raises `ModelError` when vLLM cannot load the adapter of `loaded` as it is."""
    if form == "merged":
        return
    config = adapter_config(loaded.model, loaded.base_name)
    rank = max([config.r, *(config.ranks or {}).values()])
    wrong = "is a DoRA adapter" if config.use_dora else f"has rank {rank}" if rank > LORA_RANKS[-1] else ""
    if wrong:
        raise ModelError(
            f"{wrong}, which vLLM does not load",
            where=loaded.name,
            remedy="leave bundle_of at merged",
            param="bundle_of",
        )


def write_bundle(loaded: LoadedModel, folder: Path, form: Form, *, name: str) -> None:
    """Writes the script, the chat template and the settings of generation beside the weights in `folder`.

    The settings are only the tokens that begin, end and fill a text: where a reply ends here it ends there, and no
    penalty or temperature that came with the base model changes it.
    """
    tokenizer = loaded.template.tokenizer
    ends = sorted(loaded.template.stop_ids)
    known = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": ends, "pad_token_id": tokenizer.pad_token_id}
    settings = {key: value for key, value in known.items() if value is not None}
    (folder / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    (folder / TEMPLATE).write_text(loaded.template.source, encoding="utf-8")
    script = folder / SCRIPT
    script.write_text(start_script(loaded, form, name=name), encoding="utf-8")
    script.chmod(0o755)


def start_script(loaded: LoadedModel, form: Form, *, name: str) -> str:
    """Returns the text of serve.sh, for POSIX shells; the model is called `name` unless $NAME says otherwise."""
    lines = [
        f"name=${{NAME:-{shlex.quote(name)}}}",
        *([] if form == "merged" else [f"base=${{BASE:-{shlex.quote(_base(loaded))}}}"]),
        f'exec vllm serve "${"here" if form == "merged" else "base"}" \\',
        *(f"  {line} \\" for line in _flags(loaded, form)),
        '  --host "${HOST:-127.0.0.1}" --port "${PORT:-8000}" "$@"',
    ]
    return _HEAD + "\n".join(lines) + "\n"


def serving_section(form: Form, *, name: str, code: bool) -> str:
    """Returns the part of the card that says how to start the model, and how to check it. `code`: it brings its own."""
    flags = " --trust-remote-code" if code else ""
    base = (
        "The base model is named in `serve.sh`; `BASE=... sh serve.sh` takes it from another place.\n\n"
        if form == "adapter"
        else ""
    )
    return f"""## Serving

`serve.sh` starts vLLM with these files: the chat template, the end tokens and the length they were trained with.

```sh
sh serve.sh{flags}                       # on 127.0.0.1:8000
HOST=0.0.0.0 PORT=9000 sh serve.sh{flags} --api-key KEY
```

{base}Before traffic moves, compare it with the model it was made from, and put Luthier's API before it:

```sh
luthier verify http://127.0.0.1:8000/v1 RUN --model {shlex.quote(name)}
luthier serve --model {shlex.quote(name)} --upstream http://127.0.0.1:8000/v1 --port 8080
```
"""


def _flags(loaded: LoadedModel, form: Form) -> list[str]:
    flags = [f'--chat-template "$here/{TEMPLATE}"', '--generation-config "$here"']
    flags.append(f"--max-model-len {loaded.context_length}")
    if form == "merged":
        return ['--served-model-name "$name"', *flags]
    config = adapter_config(loaded.model, loaded.base_name)
    needed = max([config.r, *(config.ranks or {}).values()])
    rank = next(rank for rank in LORA_RANKS if rank >= needed)
    return ['--tokenizer "$here"', *flags, f'--enable-lora --max-lora-rank {rank} --lora-modules "$name=$here"']


def _base(loaded: LoadedModel) -> str:
    """Returns what vLLM takes for the base model: its hub name, or the folder it is in."""
    if loaded.base_name == EMBEDDED:
        return str(Path(__file__).parent / EMBEDDED)
    folder = Path(loaded.base_name).expanduser()
    return str(folder.resolve()) if folder.is_dir() else loaded.base_name
