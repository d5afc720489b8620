"""An account of a hosted API, read over HTTP: lists page by page, files piece by piece, again where it was busy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from luthier.errors import Interrupted, RemoteError
from luthier.records.json_values import parse
from luthier.server.source import AGAIN, CutOff, Withheld
from luthier.server.wire.moved import (
    MovedCheckpoint,
    MovedCompletion,
    MovedEval,
    MovedEvent,
    MovedFile,
    MovedJob,
    MovedRun,
    MovedT,
    Unread,
    read_moved,
)
from luthier.store.blobs import PIECE

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
TRIES = 6
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 300.0
BUSY = frozenset({408, 409, 429, 500, 502, 503, 504})
MOST_FAILURES = 3
"""So many things one after the other, each tried `TRIES` times, say that it is the server and not the thing."""
LONGEST = 300


class Hosted:
    """The account that `key` opens at `url`, which ends in /v1. `stopped` is asked while it waits.

    `RemoteError` from every method when the key is refused, or the server stays away or busy; `Interrupted` when
    `stopped` says so. Implements `source.Source`.
    """

    def __init__(self, url: str, key: str, key_variable: str, stopped: Callable[[], bool]) -> None:
        self.name, self._key_variable, self._stopped = url.rstrip("/"), key_variable, stopped
        headers = {"authorization": f"Bearer {key}", "accept-encoding": "identity"}
        self._client = httpx.Client(headers=headers, timeout=TIMEOUT)
        self._failures = 0

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def files(self) -> Iterator[MovedFile | Unread]:
        return self._read(MovedFile, "/files", limit=10_000, order="asc")

    def content(self, file: MovedFile) -> Iterator[bytes]:
        with self._answer(f"/files/{file.id}/content") as response:
            size, framed = 0, bool({"content-length", "transfer-encoding"} & set(response.headers))
            try:
                for piece in response.iter_bytes(PIECE):
                    self._check_stopped()
                    size += len(piece)
                    yield piece
            except httpx.HTTPError as error:
                raise CutOff(f"the connection ended after {size:,} bytes ({type(error).__name__})") from None
            if not framed and file.bytes is not None and size < file.bytes:
                raise CutOff(f"the connection ended after {size:,} of {file.bytes:,} bytes")
        self._failures = 0

    def jobs(self) -> Iterator[MovedJob | Unread]:
        return reversed(list(self._read(MovedJob, "/fine_tuning/jobs", limit=100)))

    def events(self, job: MovedJob) -> Sequence[MovedEvent]:
        return self._inside(MovedEvent, f"/fine_tuning/jobs/{job.id}/events")

    def checkpoints(self, job: MovedJob) -> Sequence[MovedCheckpoint]:
        return self._inside(MovedCheckpoint, f"/fine_tuning/jobs/{job.id}/checkpoints")

    def completions(self) -> Iterator[MovedCompletion | Unread]:
        return self._read(MovedCompletion, "/chat/completions", limit=100, order="asc")

    def messages(self, completion: MovedCompletion) -> Sequence[dict[str, Any]]:
        found = list(self._listed(f"/chat/completions/{completion.id}/messages", limit=100, order="asc"))
        self._failures = 0
        return found

    def evals(self) -> Iterator[MovedEval | Unread]:
        return self._read(MovedEval, "/evals", limit=100, order="asc")

    def runs(self, eval: MovedEval) -> Iterator[MovedRun | Unread]:
        return self._read(MovedRun, f"/evals/{eval.id}/runs", limit=100, order="asc")

    def output_items(self, eval: MovedEval, run: MovedRun) -> Iterator[dict[str, Any]]:
        return self._listed(f"/evals/{eval.id}/runs/{run.id}/output_items", limit=100, order="asc")

    def _read(self, kind: type[MovedT], path: str, **query: Any) -> Iterator[MovedT | Unread]:
        return (read_moved(kind, one) for one in self._listed(path, **query))

    def _inside(self, kind: type[MovedT], path: str) -> list[MovedT]:
        """Returns what is inside of one thing, oldest first: all of it, or `Withheld`."""
        found: list[MovedT] = []
        for one in self._read(kind, path, limit=100):
            if isinstance(one, Unread):
                raise Withheld(f"{path}: {one.key}: {one.problem}")
            found.append(one)
        self._failures = 0
        return found[::-1]

    def _listed(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yields the objects of every page."""
        after: str | None = None
        asked: set[str] = set()
        while True:
            answer = self._object(path, query | ({} if after is None else {"after": after}))
            data = answer.get("data")
            if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
                raise Withheld(f"{path}: sent no list")
            yield from data
            if not answer.get("has_more") or not data:
                return
            after = data[-1].get("id")
            if not isinstance(after, str) or after in asked:
                raise Withheld(f"{path}: the page after {after!r} has no end")
            asked.add(after)

    def _object(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        for left in reversed(range(TRIES)):
            try:
                with self._answer(path, query) as response:
                    text = response.read().decode()
                break
            except (httpx.HTTPError, UnicodeDecodeError) as error:
                if not left:
                    raise self._away(error) from None
                self._wait(FIRST_WAIT_S)
        try:
            answer = parse(text)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise Withheld(f"{path}: sent what is no JSON object: {text[:80]!r}")
        return answer

    @contextmanager
    def _answer(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[httpx.Response]:
        """The answer to a GET, not yet read, with status 200."""
        request = self._client.build_request("GET", f"{self.name}{path}", params=query)
        for attempt in range(TRIES):
            self._check_stopped()
            try:
                response = self._client.send(request, stream=True)
            except httpx.HTTPError as error:
                if attempt + 1 == TRIES:
                    raise self._away(error) from None
                self._wait(FIRST_WAIT_S * 2**attempt)
                continue
            if response.status_code not in BUSY or attempt + 1 == TRIES:
                break
            response.close()
            self._wait(_later(response.headers.get("retry-after"), FIRST_WAIT_S * 2**attempt))
        try:
            if response.status_code != 200:
                self._refuse(path, response)
            yield response
        finally:
            response.close()

    def _refuse(self, path: str, response: httpx.Response) -> None:
        status, said = response.status_code, f"answered {response.status_code}: {_said(response)}"
        if status == 401:
            remedy = f"check the key in ${self._key_variable}, or leave what it does not open out with --what"
            raise RemoteError(said, status=status, where=f"{self.name}{path}", remedy=remedy)
        self._failures = self._failures + 1 if status in BUSY else 0
        if status == 429 or self._failures == MOST_FAILURES:
            raise RemoteError(said, status=status, where=f"{self.name}{path}", remedy=AGAIN)
        raise Withheld(said)

    def _away(self, error: Exception) -> RemoteError:
        return RemoteError(f"does not answer ({type(error).__name__})", where=self.name, remedy=f"check it; {AGAIN}")

    def _wait(self, seconds: float) -> None:
        """Returns after that time, or raises: a server that asks for more than minutes is left alone."""
        if seconds > LONGEST_WAIT_S:
            raise RemoteError(f"is busy for {seconds:,.0f} s more", status=429, where=self.name, remedy=AGAIN)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._check_stopped()
            time.sleep(min(0.2, left))

    def _check_stopped(self) -> None:
        if self._stopped():
            raise Interrupted(f"stopped on request; {AGAIN}")


def _later(header: str | None, otherwise_s: float) -> float:
    """Returns the seconds of a Retry-After header, which holds a number or a date."""
    if header is None:
        return otherwise_s
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return otherwise_s


def _said(response: httpx.Response) -> str:
    """Returns the server's words for why it refused."""
    try:
        text = response.read().decode(errors="replace")
    except httpx.HTTPError:
        text = ""
    try:
        error = parse(text)["error"]
        return str(error["message"] if isinstance(error, dict) else error)[:LONGEST]
    except (ValueError, KeyError, TypeError, RecursionError):
        return text[:LONGEST] or "nothing"
