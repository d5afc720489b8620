"""Prints what W&B's own file of a run holds, as JSON: `python read_wandb.py FILE`, where wandb is installed."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record


def chunks(data: bytes) -> Iterator[bytes]:
    at, whole = 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, size, kind = struct.unpack_from("<IHB", data, at)
        whole, at = whole + data[at + 7 : at + 7 + size], at + 7 + size
        if kind in (1, 4):
            yield whole
            whole = b""


def values(items: Any) -> dict[str, Any]:
    return {item.key or item.nested_key[0]: json.loads(item.value_json) for item in items}


out: dict[str, Any] = {"steps": [], "exit": None, "kinds": [], "config": {}}
for chunk in chunks(Path(sys.argv[1]).read_bytes()):
    record = Record.FromString(chunk)
    kind = record.WhichOneof("record_type")
    out["kinds"].append(kind)
    if kind == "run":
        out["config"] |= values(record.run.config.update)
        out["run"] = [record.run.run_id, record.run.project, record.run.display_name]
        out["tags"] = list(record.run.tags)
    elif kind == "config":
        out["config"] |= values(record.config.update)
    elif kind == "history":
        found = {name: value for name, value in values(record.history.item).items() if not name.startswith("_")}
        out["steps"].append([record.history.step.num, found])
    elif kind == "exit":
        out["exit"] = record.exit.exit_code
print(json.dumps(out))
