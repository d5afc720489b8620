"""Request bodies: every key is honoured, harmless or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from luthier.server.errors import ApiError
from luthier.server.wire.body import Body, Part, Refused, read_body
from luthier.server.wire.chat import CreateChat
from luthier.server.wire.fine_tuning import CreateJob


class Inner(Part):
    size: int = Field(ge=1)
    harmless: ClassVar[Mapping[str, str]] = {"colour": "nobody sees it"}


class Outer(Body):
    name: str
    inner: Inner | None = None
    many: list[Inner] | None = None
    either: str | list[str] | None = None
    harmless: ClassVar[Mapping[str, str]] = {"user": "nobody is told"}
    refused: ClassVar[Mapping[str, Refused]] = {"sound": Refused("there is none", unless=("off",))}


def refused(raw: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read_body(Outer, raw if isinstance(raw, str) else json.dumps(raw))
    return caught.value


def test_harmless_keys_are_named_wherever_they_are() -> None:
    raw = {
        "name": "x",
        "user": "me",
        "inner": {"size": 1, "colour": "red"},
        "many": [{"size": 2}, {"size": 3, "colour": 1}],
    }
    body, ignored = read_body(Outer, json.dumps(raw))
    assert body.many is not None
    assert body.many[1].size == 3
    assert ignored == ("user", "inner.colour", "many[1].colour")


def test_a_key_that_asks_for_nothing_is_taken() -> None:
    for value in (None, "off"):
        assert read_body(Outer, {"name": "x", "sound": value})[1] == ()
    assert read_body(Outer, {"name": "x", "user": None})[1] == ()


@pytest.mark.parametrize(
    ("raw", "param", "code", "said"),
    [
        ({}, "name", "missing_required_parameter", "Missing"),
        ("", "name", "missing_required_parameter", "Missing"),
        ({"name": 3}, "name", "invalid_value", "Got 3"),
        ({"name": "x", "sound": "loud"}, "sound", "unsupported_parameter", "there is none"),
        ({"name": "x", "inner": {"size": 0}}, "inner.size", "invalid_value", "Got 0"),
        ({"name": "x", "many": [{"size": 1}, {"siz": 1}]}, "many[1].size", "missing_required_parameter", "Missing"),
        ({"name": "x", "many": [{"size": 1, "siz": 1}]}, "many[0].siz", "unknown_parameter", "did you mean 'size'"),
        ({"name": "x", "nam": "y"}, "nam", "unknown_parameter", "did you mean 'name'"),
        ({"name": "x", "either": 3}, "either", "invalid_value", "Got 3"),
        ("{", None, "invalid_json", "not valid JSON"),
        ("[]", None, "invalid_value", "Got []"),
        ('{"name": NaN}', "name", "invalid_value", "nan"),
        ('{"name": "\\ud800"}', None, "invalid_json", "not valid JSON"),
    ],
)
def test_what_is_wrong_is_said_by_its_place(raw: Any, param: str | None, code: str, said: str) -> None:
    error = refused(raw)
    assert (error.param, error.code, error.status) == (param, code, 400)
    assert said in error.message


def test_a_long_value_is_not_said_whole() -> None:
    assert len(refused({"name": ["x" * 10_000]}).message) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", [CreateChat, CreateJob])
@given(data=st.data())
def test_whatever_comes_is_read_or_refused_in_words(kind: type[Body], data: st.DataObject) -> None:
    names = st.sampled_from([*kind.model_fields, *kind.harmless, *kind.refused, "else"])
    raw = json.dumps(data.draw(st.dictionaries(names, json_values, max_size=5)))
    said = None
    try:
        read_body(kind, raw)
    except ApiError as error:
        said = error
    assert said is None or (said.status == 400 and json.dumps(said.to_json(), allow_nan=False))
