"""The notebooks of examples/, executed from top to bottom by nbclient in an environment without Luthier."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from house import ROOT
from serving import Running, serve

JUPYTER = ROOT / ".venv-notebooks" / "bin" / "jupyter-execute"
LIMIT_S = 900

pytestmark = pytest.mark.skipif(not JUPYTER.exists(), reason="make compat makes the environment for this test")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = serve(tmp_path_factory.mktemp("notebooks") / "home")
    yield running
    running.end()


@pytest.fixture(scope="module")
def env(server: Running, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the API is, and a home of its own in which matplotlib has found its fonts: it may say so only once."""
    home = str(tmp_path_factory.mktemp("user"))
    found = {"PATH": os.environ["PATH"], "HOME": home, "OMP_NUM_THREADS": "1"}
    subprocess.run([str(JUPYTER.with_name("python")), "-c", "import matplotlib.pyplot"], env=found, check=True)
    return found | {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "anything"}


def executed(name: str, env: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    """Returns what the cells of a notebook put out, executed in a copy of examples/."""
    examples = folder / "examples"
    shutil.copytree(ROOT / "examples", examples)
    command = [str(JUPYTER), "--inplace", name]
    done = subprocess.run(command, cwd=examples, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads((examples / name).read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def said(outputs: list[dict[str, Any]]) -> str:
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    return "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")


def pictures(outputs: list[dict[str, Any]]) -> list[bytes]:
    return [
        base64.b64decode(output["data"]["image/png"]) for output in outputs if "image/png" in output.get("data", {})
    ]


def all_went_well(outputs: list[dict[str, Any]], server: Running) -> str:
    """Returns what was printed, once it is seen that the job ended well, its curves are drawn and nothing is left."""
    text = said(outputs)
    assert "New fine-tuned model created: ft:fiddle:" in text
    assert "The job has successfully completed" in text
    (picture,) = pictures(outputs)
    assert picture.startswith(b"\x89PNG")
    assert "left of this notebook: nothing" in text
    client = server.client()
    assert [model.id for model in client.models.list() if model.id.startswith("ft:")] == []
    assert [file.id for file in client.files.list()] == []
    return text


def test_recipes_to_ingredients(server: Running, env: dict[str, str], tmp_path: Path) -> None:
    text = all_went_well(executed("recipes_to_ingredients.ipynb", env, tmp_path), server)
    assert text.count("in order") == 2
    assert "two broken rows -> {" in text
    scores = re.findall(r"^(\S+) +(\d+) of 60 +(\d\.\d{3}) ", text, re.MULTILINE)
    (base, base_exact, base_f1), (tuned, tuned_exact, tuned_f1) = scores
    assert (base, tuned[:10]) == ("fiddle", "ft:fiddle:")
    assert int(tuned_exact) > int(base_exact)
    assert float(tuned_f1) > float(base_f1) + 0.3
    (low,) = re.findall(r"95 % between ([+-]\d\.\d{3}) and", text)
    assert float(low) > 0


def test_code_assistant(server: Running, env: dict[str, str], tmp_path: Path) -> None:
    text = all_went_well(executed("code_assistant.ipynb", env, tmp_path), server)
    scores = re.findall(r"^(base|base with the manual|tuned) +(\d+) of 60 +(\d+) of 60", text, re.MULTILINE)
    assert [name for name, _, _ in scores] == ["base", "base with the manual", "tuned"]
    right, named = ([int(score[at]) for score in scores] for at in (1, 2))
    assert right[2] > max(right[:2])
    assert named[2] > max(named[:2])


def test_claims_and_studies(server: Running, env: dict[str, str], tmp_path: Path) -> None:
    """Whatever the model makes of the studies, they are found, and the threshold is chosen and measured."""
    outputs = executed("claims_and_studies.ipynb", env, tmp_path)
    text = said(outputs)
    assert [picture[:4] for picture in pictures(outputs)] == [b"\x89PNG"]
    first = dict(re.findall(r"by (claim|HyDE) +right study first (\d+) of 40", text))
    assert int(first["claim"]) >= 36
    scores = dict(re.findall(r"^(claim alone|retrieval|threshold|HyDE) +(\d+) of 42", text, re.MULTILINE))
    assert list(scores) == ["claim alone", "retrieval", "threshold", "HyDE"]
    assert int(scores["threshold"]) > int(scores["retrieval"])
