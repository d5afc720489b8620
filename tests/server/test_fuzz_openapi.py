"""Requests drawn from our own OpenAPI document by schemathesis: those that it allows, and those that it does not.

Nothing is a 5xx; every answer has a status, a type and a shape that the document names; what it does not allow is
refused. A few of each route are in `make test`, the same ones every time; `make soak` draws many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from serving import AS_OWNER, Running, rows, upload

from luthier.server.openapi import document

ROUTES = [(method, path) for path, methods in document()["paths"].items() for method in methods]
FEW, MANY = 3, 60
LIMIT_S = 30
SHORT = {"max_tokens": 1, "max_completion_tokens": 1, "max_output_tokens": 16}
SMALL = {"n": 2, "best_of": 2}
"""What a request may ask for at most: it is the reading of requests that is tried, and not the engine."""


@pytest.fixture(scope="module")
def known(idle: Running) -> dict[str, str]:
    """Returns ids that are there, by the names that paths and bodies have for them."""
    client = idle.client()
    file = upload(client, rows()).id
    conversation = client.conversations.create(items=[{"role": "user", "content": "x"}]).id
    begun = client.uploads.create(bytes=4, filename="a.jsonl", mime_type="text/plain", purpose="batch")
    chat = client.chat.completions.create(
        model="fiddle", messages=[{"role": "user", "content": "x"}], max_tokens=1, store=True
    )
    store = client.vector_stores.create(name="drawn").id
    batch = client.vector_stores.file_batches.create(store, file_ids=[file]).id
    return {
        "vector_store_id": store,
        "batch_id": batch,
        "model": "fiddle",
        "file_id": file,
        "training_file": file,
        "upload_id": begun.id,
        "fine_tuning_job_id": client.fine_tuning.jobs.create(model="fiddle", training_file=file).id,
        "completion_id": chat.id,
        "response_id": client.responses.create(model="fiddle", input="x", max_output_tokens=16).id,
        "conversation_id": conversation,
        "item_id": client.conversations.items.list(conversation).data[0].id,
    }


@pytest.fixture(scope="module")
def operations() -> Mapping[tuple[str, str], Any]:
    import schemathesis

    schema = schemathesis.openapi.from_dict(dict(document()))
    found = (result.ok() for result in schema.get_all_operations())
    return {(one.method, one.path): one for one in found}


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    import requests

    with requests.Session() as session:
        yield session


def steer(case: Any, known: Mapping[str, str], aim: bool) -> None:
    """Keeps the work of a request small, and aims it at what is there where `aim` says so."""
    if aim:
        case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
    if isinstance(case.body, dict):
        names = set(re.findall(r"\w+", case.operation.path))
        for name, most in SMALL.items():
            if name in case.body and type(case.body[name]) is int:
                case.body[name] = min(case.body[name], most)
        case.body |= {name: value for name, value in SHORT.items() if name in takes(names)}
        if aim:
            case.body |= {name: known[name] for name in ("model", "training_file") if name in case.body}


def takes(names: set[str]) -> tuple[str, ...]:
    if "responses" in names:
        return () if "input_tokens" in names else ("max_output_tokens",)
    return ("max_tokens",) if "completions" in names and "completion_id" not in names else ()


def drawn(operation: Any, mode: Any, count: int, try_: Any) -> None:
    tried = given(operation.as_strategy(generation_mode=mode))(try_)
    settings(max_examples=count, database=None, suppress_health_check=list(HealthCheck))(tried)()


def attack(idle: Running, operation: Any, session: Any, known: Mapping[str, str], count: int) -> None:
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS, load_all_checks

    load_all_checks()
    names = ("not_a_server_error", "status_code_conformance", "content_type_conformance")
    checks = CHECKS.get_by_names([*names, "response_schema_conformance"])
    refusing = CHECKS.get_by_names(["negative_data_rejection"])
    sent = {"base_url": idle.url, "session": session, "headers": AS_OWNER, "timeout": LIMIT_S}
    number = 0

    def allowed(case: Any) -> None:
        nonlocal number
        number += 1
        steer(case, known, aim=number % 3 > 0)
        case.call_and_validate(checks=checks, **sent)

    def not_allowed(case: Any) -> None:
        case.call_and_validate(checks=[*checks, *refusing], **sent)

    drawn(operation, GenerationMode.POSITIVE, count, allowed)
    if operation.body or operation.query or operation.path_parameters:
        drawn(operation, GenerationMode.NEGATIVE, count, not_allowed)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_few_of_each(idle: Running, operations: Any, session: Any, known: Any, route: tuple[str, str]) -> None:
    attack(idle, operations[route], session, known, FEW)


@pytest.mark.soak
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_many_of_each(idle: Running, operations: Any, session: Any, known: Any, route: tuple[str, str]) -> None:
    attack(idle, operations[route], session, known, MANY)


def test_the_server_still_answers(idle: Running) -> None:
    assert idle.client().completions.create(model="fiddle", prompt="x", max_tokens=1).choices
