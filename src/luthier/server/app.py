"""The application: routes made of endpoints, a request id on every answer, every error as the OpenAI error object."""

from __future__ import annotations

import base64
import contextlib
import inspect
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from luthier.access.gate import Meter
from luthier.access.keys import Key
from luthier.server.attending import attended, deadline_of
from luthier.server.call import Call, Endpoint
from luthier.server.errors import LATER_S, ApiError, as_api_error
from luthier.server.logs import REQUEST
from luthier.server.metrics import CONTENT_TYPE, exposition
from luthier.server.openapi import document
from luthier.server.pages import info_page
from luthier.server.reading import brought
from luthier.server.routes import ENDPOINTS
from luthier.server.state import Server
from luthier.server.wire.body import read_texts
from luthier.store.ids import new_id

LOG = logging.getLogger("luthier.server")
INSIDE = "luthier.key"
"""What a scope of this process's own says: whose request it is. Nothing that comes over the network can say it."""
SAID = "luthier.said"
"""What a scope gathers for the log."""
IGNORED = "x-luthier-ignored"


def create_app(server: Server) -> ASGIApp:
    """Returns the ASGI application of one server."""

    routes = [_route(endpoint, server) for endpoint in ENDPOINTS]
    app = Starlette(
        routes=[
            *routes,
            Route("/health", _health(server)),
            Route(
                "/metrics",
                _with_key(server, lambda: Response(exposition(server.answering.services()), media_type=CONTENT_TYPE)),
            ),
            Route("/openapi.json", _with_key(server, lambda: JSONResponse(document()))),
            Route("/", _page(server)),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _unforeseen},
    )
    return _Front(app)


def _health(server: Server) -> Any:
    async def answer(_: Request) -> Response:
        down = server.answering.down()
        if down:
            return JSONResponse({"status": "down", "models": down}, status_code=503, headers={"retry-after": LATER_S})
        return JSONResponse({"status": "ok"})

    return answer


def _metrics(server: Server) -> Response:
    return Response(exposition(server.answering.services()), media_type=CONTENT_TYPE)


def _with_key(server: Server, answer: Callable[[], Response]) -> Any:
    async def answered(request: Request) -> Response:
        try:
            await _key_of(request, server)
            return await run_in_threadpool(answer)
        except Exception as error:
            return error_response(error)

    return answered


def _page(server: Server) -> Any:
    async def answer(request: Request) -> Response:
        try:
            key = await _key_of(request, server, basic=True)
            url = f"{request.url.scheme}://{request.url.netloc}/v1"
            return HTMLResponse(await run_in_threadpool(info_page, server, key.project, url))
        except Exception as error:
            known = error_response(error)
            if known.status_code == 401:
                known.headers["www-authenticate"] = 'Basic realm="Luthier: any name, and the key as the password"'
            return known

    return answer


def _route(endpoint: Endpoint, server: Server) -> Route:
    async def answer(request: Request) -> Response:
        try:
            return await _answer(endpoint, server, request)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as error:
            return error_response(error)

    return Route(endpoint.path, answer, methods=[endpoint.method])


async def _answer(endpoint: Endpoint, server: Server, request: Request) -> Response:
    key = await _key_of(request, server)
    meter = Meter(key, endpoint.counted, server.gate, partial(server.pricing.of, key.project))
    left = await _admitted(endpoint, server, request, key)
    request.scope[SAID] |= {"route": endpoint.path, "meter": meter}
    _no_nul(request.path_params.values())
    _no_nul(request.query_params.values())
    query, unheard = read_texts(endpoint.query, request.query_params.multi_items())
    async with brought(endpoint, request, server.options.client_timeout_s) as (body, file, ignored):
        deadline = deadline_of(server.options.request_timeout_s)
        call = Call(server, meter, request.path_params, query, body, file, deadline)
        if inspect.iscoroutinefunction(endpoint.handler):
            found = await attended(endpoint.handler(call), request.receive, deadline)
        else:
            found = await run_in_threadpool(endpoint.handler, call)
    response = found if isinstance(found, Response) else JSONResponse(found)
    response.headers.update(left)
    other = request.headers.get("openai-project", key.project)  # the key says whose request it is
    if unused := [*unheard, *ignored, *(["OpenAI-Project"] if other != key.project else [])]:
        response.headers[IGNORED] = ", ".join(unused)
    return response


async def _key_of(request: Request, server: Server, *, basic: bool = False) -> Key:
    """Returns the key that came with a request. `ApiError` (401) where there is none, or it is good for nothing.

    `basic` is for pages: what a browser sends by itself starts no jobs.
    """
    key: Key | None = request.scope.get(INSIDE)
    if key is None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if basic and scheme.lower() == "basic":  # NAME:KEY in base64
            with contextlib.suppress(ValueError):
                scheme, given = "bearer", base64.b64decode(given, validate=True).decode().partition(":")[2]
        known, text = server.gate.known, given.strip()
        if scheme.lower() == "bearer" and text:
            key = known.recall(text) or await run_in_threadpool(known.find, text)
    if key is None:
        raise ApiError(  # beginning as the hosted API does: clients tell it from other bad requests by these words
            "Incorrect API key provided, or none: send it as 'Authorization: Bearer KEY'. Whoever runs this server "
            "makes one with 'luthier keys create'.",
            status=401,
            code="invalid_api_key",
        )
    request.scope[SAID] |= {"key": key.id, "project": key.project}
    return key


async def _admitted(endpoint: Endpoint, server: Server, request: Request, key: Key) -> Mapping[str, str]:
    """Returns what is left of the key's limits, as headers. Requests of a batch wait for no minute to pass."""
    counted = bool(endpoint.counted)
    if INSIDE in request.scope:
        await run_in_threadpool(server.gate.check_budget, key, counted=counted)
        return {}
    if counted and key.limits.monthly_budget is not None:
        return await run_in_threadpool(server.gate.admit, key, counted=True)
    return server.gate.admit(key, counted=counted)


def _no_nul(values: Iterable[str]) -> None:
    if any("\x00" in value for value in values):
        raise ApiError("The address holds a NUL character.", code="invalid_value")


def error_response(error: Exception) -> Response:
    """Returns the answer for `error`; what was not foreseen goes to the log."""
    known = as_api_error(error)
    if known.status >= 500 and known is not error:
        LOG.error("request failed", exc_info=error)
    return JSONResponse(known.to_json(), status_code=known.status, headers=known.headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {
        404: f"There is no {request.method} {request.url.path} here.",
        405: f"{request.url.path} does not take {request.method}.",
    }
    return error_response(ApiError(said.get(error.status_code, str(error.detail)), status=error.status_code))


async def _unforeseen(_: Request, error: Exception) -> Response:
    return error_response(error)


class _Front:
    """Serves the routes with and without /v1, puts a request id and the time taken on every answer, and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said: dict[str, Any] = {"route": "", "status": 0}
        scope = dict(scope, **{SAID: said})
        if scope["path"].startswith("/v1/"):
            scope["path"] = scope["path"].removeprefix("/v1")
            scope["raw_path"] = scope["path"].encode()
        began, id = time.perf_counter(), new_id("req_")
        REQUEST.set(id)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                took = str(int((time.perf_counter() - began) * 1000))
                headers = {"x-request-id": id, "openai-processing-ms": took, "openai-version": "2020-10-01"}
                extra = [(name.encode(), value.encode()) for name, value in headers.items()]
                message["headers"] = [*message.get("headers", []), *extra]
                said["status"] = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, marked)
        finally:
            _log(scope["method"], said, (time.perf_counter() - began) * 1000)


def _log(method: str, said: dict[str, Any], took_ms: float) -> None:
    """Writes the line of a request: whose it was and what it used, and no word of it."""
    meter: Meter | None = said.pop("meter", None)
    fields = {"method": method, **said, "ms": round(took_ms, 1)}
    if meter is not None and meter.models:
        used = meter.total
        tokens = {name: getattr(used, name) for name in ("input_tokens", "cached_tokens", "output_tokens")}
        fields |= {"models": meter.models, **tokens, "cost": used.cost}
    LOG.info("request", extra={"fields": fields})
