"""Batches on the wire: many requests in a file, their answers in another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from luthier.server.wire.body import Body
from luthier.server.wire.values import ExpiresAfter, Metadata
from luthier.store.ids import new_id
from luthier.store.jobs import Job

WINDOW_S = 24 * 3600
MOST_LINES, MOST_ERRORS, LONGEST_ID = 50_000, 1000, 512


class CreateBatch(Body):
    """A batch as it is asked for."""

    input_file_id: str = Field(min_length=1)
    endpoint: Literal["/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/embeddings", "/v1/moderations"]
    completion_window: Literal["24h"]
    metadata: Metadata | None = None
    output_expires_after: ExpiresAfter | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One line of a batch."""

    custom_id: str
    body: dict[str, Any]


class BadLines(Exception):
    """Lines that are no requests, as the vendor lists them."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(errors)} lines")
        self.errors = errors


class BadLine(Exception):
    """What is wrong with one line: a code, words, and the key."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


def check_lines(lines: Iterable[bytes], endpoint: str) -> tuple[int, str | None]:
    """Returns how many requests there are, and their model when they name one and the same.

    `BadLines` lists everything that is wrong with them, the first thousand.
    """
    errors: list[dict[str, Any]] = []
    ids: set[str] = set()
    models: set[Any] = set()
    for number, line in lines_of(lines):
        try:
            if len(ids) >= MOST_LINES:
                raise BadLine("too_many_requests", f"A batch has at most {MOST_LINES:,} requests.")
            request = read_line(line, endpoint)
            if request.custom_id in ids:
                raise BadLine("duplicate_custom_id", f"{_short(request.custom_id)} is there twice.", "custom_id")
            ids.add(request.custom_id)
            model = request.body.get("model")
            models.add(model if isinstance(model, str) else None)
        except BadLine as bad:
            errors.append({"code": bad.code, "line": number, "message": bad.message, "param": bad.param})
            if len(errors) >= MOST_ERRORS or bad.code == "too_many_requests":
                break
    if not ids and not errors:
        errors.append({"code": "empty_file", "line": None, "message": "The file has no requests.", "param": None})
    if errors:
        raise BadLines(errors)
    return len(ids), models.pop() if len(models) == 1 else None


def lines_of(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yields the lines that hold something, with their numbers from 1."""
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def read_line(line: bytes, endpoint: str) -> Request:
    """Returns the request of one line. `BadLine` says what is wrong with it."""
    try:
        value = json.loads(line, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadLine("invalid_json_line", f"The line is not valid JSON: {_short(error)}.") from None
    if not isinstance(value, dict):
        raise BadLine("invalid_json_line", "The line is not a JSON object.")
    for key, kind in (("custom_id", str), ("method", str), ("url", str), ("body", dict)):
        if key not in value:
            raise BadLine("missing_required_parameter", f"{key} is missing.", key)
        if not isinstance(value[key], kind):
            raise BadLine("invalid_value", f"{key} is of the wrong type.", key)
    if not 0 < len(value["custom_id"]) <= LONGEST_ID:
        raise BadLine("invalid_value", f"custom_id has from 1 to {LONGEST_ID} characters.", "custom_id")
    if value["method"] != "POST":
        raise BadLine("invalid_method", f"method must be 'POST'. Got {_short(value['method'])}.", "method")
    if value["url"] != endpoint:
        raise BadLine(
            "invalid_url", f"url must be the batch's endpoint, {endpoint!r}. Got {_short(value['url'])}.", "url"
        )
    if value["body"].get("stream"):
        raise BadLine("invalid_value", "A batch cannot stream.", "body.stream")
    return Request(value["custom_id"], value["body"])


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Exception) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def answer_line(
    custom_id: str,
    *,
    status: int = 200,
    request_id: str = "",
    body: Any = None,
    error: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns one line of a batch's results: an answer, or why there is none."""
    response = None if error is not None else {"status_code": status, "request_id": request_id, "body": body}
    return {"id": new_id("batch_req_"), "custom_id": custom_id, "response": response, "error": error}


def tokens_of(line: Mapping[str, Any]) -> tuple[int, int]:
    """Returns the tokens in and out of one answer, as its usage says."""
    response = line.get("response") or {}
    body = response.get("body")
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return 0, 0
    read = usage.get("input_tokens", usage.get("prompt_tokens"))
    written = usage.get("output_tokens", usage.get("completion_tokens"))
    return int(read or 0), int(written or 0)


def status_of(job: Job) -> str:
    """Returns the vendor's word for where a batch is."""
    if job.status == "succeeded":
        return "expired" if job.details.get("expired") else "completed"
    if job.status in {"failed", "cancelled"}:
        return job.status
    if job.wanted == "cancel":
        return "cancelling"
    if "finalizing_at" in job.progress:
        return "finalizing"
    return "in_progress" if "in_progress_at" in job.progress else "validating"


def batch_json(job: Job) -> dict[str, Any]:
    """Returns the batch object."""
    details, progress, status = job.details, job.progress, status_of(job)
    ended = {name: job.finished_at if status == name else None for name in ("completed", "failed", "expired")}
    errors = details.get("errors")
    if errors is None and job.error is not None:
        errors = [{"code": job.error["code"], "line": None, "message": job.error["message"], "param": None}]
    read, written = progress.get("tokens") or (0, 0)
    return {
        "id": job.id,
        "object": "batch",
        "endpoint": job.spec["endpoint"],
        "model": details.get("model"),
        "errors": None if errors is None else {"object": "list", "data": errors},
        "input_file_id": job.spec["input_file_id"],
        "completion_window": "24h",
        "status": status,
        "output_file_id": details.get("output_file_id"),
        "error_file_id": details.get("error_file_id"),
        "created_at": job.created_at,
        "in_progress_at": progress.get("in_progress_at"),
        "expires_at": job.created_at + WINDOW_S,
        "finalizing_at": progress.get("finalizing_at"),
        **{f"{name}_at": value for name, value in ended.items()},
        "cancelling_at": details.get("cancelling_at"),
        "cancelled_at": job.finished_at if status == "cancelled" else None,
        "request_counts": {name: progress.get(name, 0) for name in ("total", "completed", "failed")},
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        },
        "metadata": details.get("metadata"),
    }
