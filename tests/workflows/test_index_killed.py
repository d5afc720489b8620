"""`luthier index` is killed at any moment: the same command comes to the same index, and no vector is lost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from house import ROOT
from small_documents import TEXTS, document, save
from static_embeddings import save_static

import luthier

DOCUMENTS = 400


def killed(words: list[str], after_s: float) -> bool:
    """Returns whether the command was killed before it came to its end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen([sys.executable, "-m", "luthier", *words], env=environment, stderr=subprocess.DEVNULL)
    try:
        return process.wait(after_s) != 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6))
def test_the_same_command_goes_on_after_kills(tmp_path: Path, seed: int) -> None:
    draw, home = random.Random(seed), str(tmp_path / "home")
    words = sorted({word for text in TEXTS.values() for word in text.split()})
    some = [
        document(f"made{at}", "\n\n".join(" ".join(draw.choices(words, k=12)) for _ in range(6)))
        for at in range(DOCUMENTS)
    ]
    folder = save(tmp_path / "docs", some)
    embedder = str(save_static(tmp_path / "static"))
    command = [
        "index",
        str(folder),
        "--name",
        "small",
        "--embedder",
        embedder,
        "--home",
        home,
        "--passage-tokens",
        "16",
    ]
    began = time.monotonic()
    assert not killed([*command[:-4], "--home", str(tmp_path / "other"), "--passage-tokens", "16"], 600)
    whole = time.monotonic() - began
    kills = sum(killed(command, draw.uniform(0.3, 0.9) * whole) for _ in range(6))
    assert not killed(command, 600)
    made = luthier.index(name="small", home=home).to_json()
    once = luthier.index(name="small", home=str(tmp_path / "other")).to_json()
    assert kills > 0
    assert (made["documents"], made["passages"], made["put"]) == (DOCUMENTS, once["passages"], 0)
    found = [
        luthier.search(name="small", query="green tea", home=place).to_json()["data"]
        for place in (home, str(tmp_path / "other"))
    ]
    assert [row["id"] for row in found[0]] == [row["id"] for row in found[1]]
