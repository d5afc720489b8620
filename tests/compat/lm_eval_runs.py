"""Runs lm-eval's own command several times in one process, which reads its parts once: `python lm_eval_runs.py RUNS`.

RUNS is a JSON file: a list of the words of each command. The tasks beside this file are found in its folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lm_eval.__main__ import cli_evaluate


def main(runs: str) -> None:
    for words in json.loads(Path(runs).read_text()):
        sys.argv = ["lm_eval", "run", *words]
        cli_evaluate()


if __name__ == "__main__":
    main(sys.argv[1])
