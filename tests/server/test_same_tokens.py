"""What the trainer saw is what the server builds: the same tokens, and the same log-probabilities in fp32.

Fifty conversations go through `luthier tune`'s own preparation as a file of rows, and through the server as requests:
for the embedded model with its template, and for tiny models with templates of other families.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import chat_templates as ct
import pytest
import torch
from conversations import Row, conversations
from openai import OpenAI
from serving import serve
from transformers import LlamaConfig, LlamaForCausalLM

from luthier.generation.served import ServedChat
from luthier.models.attention import use_packed_attention
from luthier.models.load import load_model
from luthier.models.options import LoadOptions
from luthier.report import ListReport
from luthier.server.wire.body import read_body
from luthier.server.wire.chat import CreateChat, choice_of, functions_of
from luthier.server.wire.messages import read_messages
from luthier.server.wire.tools import offered
from luthier.tokens.plan import plan_passes
from luthier.training.run import RunFolder
from luthier.training.setup import plan_run
from luthier.training.tuning import Tuning
from luthier.workflows.tune import Spec

TEMPLATES = {
    "chatml": ct.CHATML,
    "hermes": ct.HERMES,
    "headers": ct.HEADERS,
    "joined": ct.JOINS_TEXT,
    "thinking": ct.STRIPS_THOUGHT,
}
"""ChatML; ChatML with tools (Hermes, Qwen); Llama 3's headers; calls as text; Qwen 3's thinking blocks."""
WITHOUT_CALLS = ("chatml", "headers", "thinking")
MODELS = ("fiddle", *TEMPLATES)
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Seen:
    """One conversation as the trainer has it: the prompt, the last reply with its stop token, and the log-probability
    of each token of the reply."""

    prompt: list[int]
    reply: list[int]
    logprobs: list[float]


@dataclass(frozen=True)
class Side:
    """One model: where it is, the conversations its template can express, and the server's chat with it."""

    name: str
    place: str
    rows: list[Row]
    chat: ServedChat


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Returns where each model is: Fiddle, and a tiny Llama for each template."""
    room = tmp_path_factory.mktemp("bases")
    for name, template in TEMPLATES.items():
        tokenizer = ct.tokenizer_for(template)
        torch.manual_seed(len(name))
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=4096,
                initializer_range=0.2,  # no token is as likely as another
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
            )
        )
        model.save_pretrained(room / name)
        tokenizer.save_pretrained(room / name)
    return {"fiddle": "fiddle"} | {name: str(room / name) for name in TEMPLATES}


@pytest.fixture(scope="module")
def client(places: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    room = tmp_path_factory.mktemp("same-tokens")
    catalogue = room / "catalogue.yaml"
    catalogue.write_text(json.dumps({"models": [{"id": name, "model": place} for name, place in places.items()]}))
    running = serve(room / "home", "--catalogue", str(catalogue), "--loaded-models", str(len(places)), "--workers", "0")
    yield running.client()
    running.end()


@pytest.fixture(scope="module", params=MODELS)
def side(places: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Side]:
    name = request.param
    loaded = load_model(places[name], LoadOptions(precision="fp32", device="cpu"))
    rows = conversations()
    if name in WITHOUT_CALLS:
        rows = [row for row in rows if not any(turn.get("tool_calls") for turn in row["messages"])]
    chat = ServedChat.of(loaded)
    yield Side(name, places[name], rows, chat)
    chat.close()


@pytest.fixture(scope="module")
def seen(side: Side, tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """Returns the conversations as the trainer has them: a run is planned and loaded as `luthier tune` does it."""
    room = tmp_path_factory.mktemp(side.name)
    file = room / "rows.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in side.rows), encoding="utf-8")
    spec = Spec(
        rows=(str(file),),
        model=side.place,
        output=str(room / "run"),
        train_on="last",
        validation_fraction=0.0,
        test_fraction=0.0,
        precision="fp32",
        device="cpu",
    )
    folder, report = RunFolder.claim(spec.output, name="run", spec=spec, resume=False), ListReport()
    planned = plan_run(spec, folder, report)
    assert planned.plan.packing
    assert (planned.plan.truncated_rows, planned.plan.dropped_rows) == (0, 0)
    found = _logprobs(Tuning(planned, folder, report))
    prepared = planned.rows.train
    out: dict[int, Seen] = {}
    for tokens, logprobs in zip(prepared.tokens, found, strict=True):
        start = int(tokens.labels.argmax())
        assert tokens.labels[start:].all()
        line = prepared.rows[tokens.row].origin.line
        assert line not in out
        out[line] = Seen(tokens.tokens[:start].tolist(), tokens.tokens[start:].tolist(), logprobs)
    assert sorted(out) == list(range(1, len(side.rows) + 1))
    return [out[line] for line in sorted(out)]


def _logprobs(tuning: Tuning) -> list[list[float]]:
    """Returns the log-probabilities of each sequence's labelled tokens, from passes as training packs them."""
    sequences = tuning.planned.rows.train.tokens
    out: list[list[float]] = [[] for _ in range(len(sequences))]
    passes = plan_passes([len(one.tokens) for one in sequences], tuning.planned.plan.max_tokens_per_pass, packing=True)
    assert len(passes) < len(sequences)
    tuning.loaded.model.eval()
    with use_packed_attention(tuning.loaded.model):
        for members in passes:
            batch = tuning.objective.collate([sequences[index] for index in members])
            losses, _ = tuning.objective.token_losses(tuning.loaded.model, batch)
            counts = [int(sequences[index].labels.sum()) for index in members]
            for index, part in zip(members, torch.split(-losses, counts), strict=True):
                out[index] = part.tolist()
    return out


def asked(side: Side, row: Row) -> dict[str, Any]:
    """Returns the request for the last reply of a row: its earlier turns and its tools, as they stand in the file.

    Where the template has no place for tools the trainer does not show them, and the server would refuse them.
    """
    shown = "tools" in row and side.chat.template.dialect.tools
    return {"model": side.name, "messages": row["messages"][:-1]} | ({"tools": row["tools"]} if shown else {})


def built(side: Side, row: Row) -> list[int]:
    """Returns the tokens that the server builds of a request."""
    body, _ = read_body(CreateChat, asked(side, row))
    tools, _ = offered(functions_of(body), choice_of(body))
    return side.chat.prompt(read_messages(body.messages), tools)


def test_there_are_fifty_conversations() -> None:
    assert len(conversations()) == 50


def test_the_server_builds_the_tokens_that_the_trainer_saw(side: Side, seen: list[Seen]) -> None:
    assert len(side.rows) == 50 or (side.name in WITHOUT_CALLS and not side.chat.template.dialect.calls)
    for row, one in zip(side.rows, seen, strict=True):
        assert built(side, row) == one.prompt, row


def test_a_reply_has_the_log_probabilities_that_the_trainer_saw(side: Side, seen: list[Seen]) -> None:
    for row, one in zip(side.rows, seen, strict=True):
        found = [drawn.logprob for drawn in side.chat.service.rank(built(side, row), one.reply)]
        assert found == pytest.approx(one.logprobs, abs=TOLERANCE), row


def test_the_api_says_the_same_log_probabilities_of_the_trainers_tokens(
    side: Side, seen: list[Seen], client: OpenAI
) -> None:
    prompts = [one.prompt + one.reply for one in seen]
    found = client.completions.create(model=side.name, prompt=prompts, echo=True, logprobs=0, max_tokens=0)
    assert found.usage is not None
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (sum(map(len, prompts)), 0)
    for choice, one in zip(found.choices, seen, strict=True):
        assert choice.logprobs is not None
        assert choice.logprobs.token_logprobs is not None
        assert choice.logprobs.token_logprobs[len(one.prompt) :] == pytest.approx(one.logprobs, abs=TOLERANCE)


def test_a_chat_over_the_api_goes_on_as_the_trainer_saw_it(side: Side, seen: list[Seen], client: OpenAI) -> None:
    """The reply's first token is forced: the chat says its log-probability under the model, and counts the prompt."""
    for row, one in zip(side.rows, seen, strict=True):
        found = client.chat.completions.create(
            **asked(side, row), max_tokens=1, temperature=0, logprobs=True, logit_bias={str(one.reply[0]): 100}
        )
        assert found.usage is not None
        assert found.usage.prompt_tokens == len(one.prompt), row
        (choice,) = found.choices
        assert choice.logprobs is not None
        if one.reply[0] in side.chat.template.stop_ids:
            assert (choice.finish_reason, choice.logprobs.content) == ("stop", [])
            continue
        (said,) = choice.logprobs.content or ()
        assert said.bytes == list(side.chat.token_bytes(one.reply[0]))
        assert said.logprob == pytest.approx(one.logprobs[0], abs=TOLERANCE), row
