"""The catalogue: models, their other names, and what is wrong with a file of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from luthier.errors import SpecError
from luthier.server.catalogue import open_catalogue

FILE = """
models:
  - id: small
    model: fiddle
    aliases: [gpt-4o-mini]
    context: 2048
    input_price: 0.1
  - id: large
    kind: embedding
  - fiddle
"""


def opened(tmp_path: Path, text: str) -> object:
    file = tmp_path / "models.yaml"
    file.write_text(text)
    return open_catalogue("fiddle", str(file))


def test_without_a_file_there_is_one_model(tmp_path: Path) -> None:
    only = open_catalogue("fiddle", None)
    assert [entry.id for entry in only.entries if entry.kind == "chat"] == ["fiddle"]
    assert only.default is not None
    assert "small model" in only.default.quality
    assert open_catalogue("some/hub-model", None).entries[0].id == "some/hub-model"
    (tmp_path / "mine").mkdir()
    mine = open_catalogue(str(tmp_path / "mine"), None).entries[0]
    assert (mine.id, mine.place) == ("mine", str(tmp_path / "mine"))


def test_models_are_found_by_id_and_alias(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(FILE)
    found = open_catalogue("fiddle", str(file))
    assert [entry.id for entry in found.entries] == ["small", "large", "fiddle"]
    assert found.default == found.entries[0]
    small = found.find("gpt-4o-mini")
    assert small is not None
    assert (small.id, small.place, small.input_price) == ("small", "fiddle", 0.1)
    assert "a small model for trying Luthier" in small.quality
    large = found.find("large")
    assert large is not None
    assert (large.kind, large.place) == ("embedding", "large")
    assert found.find("none") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: fiddle", "unknown key 'model'; did you mean 'models'"),
        ("models: []", "names no models"),
        ("models: [3]", "must be a name or keys and values. Got 3"),
        ("models: [{id: a, pric: 3}]", "model 1: unknown key 'pric'"),
        ("models: [{id: a, input_price: -1}]", "input_price"),
        ("models: [a, {id: b, aliases: [a]}]", "two models are called 'a'"),
        ("models: ['ft:x']", "cannot begin with ft:"),
        ("models: [{id: a, url: 'ftp://x'}]", "url"),
        ("models: [{id: a, url: 'http://me:word@host/v1'}]", "a has a name or password in its url"),
        ("models: [{id: a, key_variable: KEY}]", "a has a key_variable and no url"),
        ("models: [{id: a, kind: moderation}]", "a names no categories"),
        ("models: [{id: a, threshold: 0.3}]", "a has threshold and is no moderation model"),
        ("models: [{id: a, kind: moderation, categories: {X: violent}}]", "did you mean 'violence'"),
        ("models: [{id: a, kind: moderation, categories: {X: hate}, threshold: 0}]", "threshold"),
        ("models: [{id: a, kind: moderation, categories: {X: hate}, url: 'http://x/v1'}]", "a has a url"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        opened(tmp_path, text)
    assert said in str(caught.value)
