"""Replies that must follow a schema do, whatever the model would rather say."""

from __future__ import annotations

import json

import jsonschema
import pytest

from luthier.errors import SpecError
from luthier.generation import grammar as room
from luthier.generation.chat import TemplateChat
from luthier.generation.grammar import Grammars, call_grammar, closed, json_grammar
from luthier.models.load import load_model
from luthier.records.messages import Message, Sampling
from luthier.tokens.tool_calls import Frame

POINT = {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"], "additionalProperties": False}
SCHEMAS = [
    {"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}, "n": {"type": "integer"}}},
    {"type": "array", "items": {"enum": ["red", "green", 3]}, "minItems": 2, "maxItems": 4},
    {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    {"$defs": {"point": POINT}, "type": "object", "properties": {"at": {"$ref": "#/$defs/point"}}, "required": ["at"]},
    {"type": "string", "pattern": "^[a-c]{3}$"},
]


@pytest.fixture(scope="module")
def chat():
    return TemplateChat.of(load_model("fiddle"))


@pytest.mark.parametrize("schema", SCHEMAS, ids=range(len(SCHEMAS)))
@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_a_reply_that_ends_is_valid(chat, schema, temperature):
    ended = 0
    for seed in range(2):
        sampling = Sampling(max_tokens=100, temperature=temperature, seed=seed, grammar=json_grammar(schema))
        reply = chat.reply([Message("user", "Say something.")], sampling)
        if reply.finish_reason == "stop":
            jsonschema.validate(json.loads(reply.text), schema)
            ended += 1
    assert ended or "pattern" not in schema


def test_rows_with_and_without_a_grammar_share_a_batch(chat):
    prompt = chat.template.prompt([Message("user", "Say something.")])
    plain, strict = Sampling(max_tokens=20), Sampling(max_tokens=60, grammar=json_grammar(SCHEMAS[1]))
    alone = [chat.engine.generate([prompt], one)[0].token_ids for one in (plain, strict)]
    together = chat.engine.generate([prompt, prompt], [plain, strict])
    assert [reply.token_ids for reply in together] == alone


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"not": {"type": "string"}}, "not"),
        ({"type": "thing"}, "thing"),
        ({"$ref": "http://127.0.0.1:1/x"}, "127.0.0.1"),
        ({"$ref": "#/$defs/none"}, "none"),
        ({"enum": list(range(room.MOST_ENUM + 1))}, "2,001 values in an enum"),
        ({"properties": {f"p{n}": {} for n in range(room.MOST_NODES)}}, "nodes"),
        ({"description": "x" * room.MOST_BYTES}, "bytes"),
    ],
)
def test_a_schema_that_cannot_be_enforced_is_refused(schema, said):
    with pytest.raises(SpecError, match=said):
        json_grammar(schema)


def test_a_deep_schema_is_refused():
    schema = {"type": "integer"}
    for _ in range(room.MOST_DEPTH):
        schema = {"type": "array", "items": schema}
    with pytest.raises(SpecError, match="levels"):
        json_grammar(schema)


def test_a_schema_cannot_set_the_compilers_options(chat):
    matcher = Grammars(chat.engine.tokenizer, chat.engine.stop_ids, 4096).matcher(
        json_grammar({"type": "object", "x-guidance": {"whitespace_pattern": ".*"}})
    )
    assert any(matcher.mask())


def test_objects_have_no_other_properties_unless_the_schema_says_so():
    plain = {"type": "object", "properties": {"properties": {"type": "string"}}, "required": ["properties"]}
    shut = {**plain, "additionalProperties": False}
    assert closed(plain) == shut
    assert closed({"type": "array", "items": {"$ref": "#/$defs/a"}, "$defs": {"a": plain}})["$defs"]["a"] == shut
    assert closed({"properties": {"a": {"anyOf": [plain, {"type": "null"}]}}})["properties"]["a"]["anyOf"][0] == shut
    assert closed({"enum": [plain], "default": plain}) == {"enum": [plain], "default": plain}


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {}}, "additionalProperties": {"type": "integer"}},
        {"properties": {"a": {}}, "minProperties": 2},
        {"properties": {"a": {}}, "required": ["b"]},
        {"properties": {"a": {}}, "required": 5},
        {"properties": {"a": {}}, "anyOf": [{"properties": {"b": {}}, "required": ["b"]}, {"required": ["a"]}]},
        {"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}, "required": ["b"]}]},
        {"$defs": {"a": {"properties": {"a": {}}}}, "properties": {"b": {}}, "$ref": "#/$defs/a"},
        {"type": "object"},
    ],
)
def test_what_says_otherwise_or_is_put_together_stays_open(schema):
    assert closed(schema) == schema


def test_a_call_has_no_endless_run_of_spaces(tokenizer):
    frame = Frame(before='<call>{"name": "', between='", "arguments": ', after="}</call>")
    function = {"name": "play", "parameters": {"type": "object", "properties": {}, "additionalProperties": False}}
    grammar = call_grammar(frame, [function], {}, several=False)

    def taken(spaces):
        text = f"{frame.before}play{frame.between}{{{' ' * spaces}}}{frame.after}"
        tokens = tokenizer.encode(text, add_special_tokens=False)
        matcher = Grammars(tokenizer, {2}, 320).matcher(grammar)
        return matcher._inner.try_consume_tokens(tokens) == len(tokens)

    assert taken(5)
    assert not taken(100)
