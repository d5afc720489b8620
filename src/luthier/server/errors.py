"""Every error as the OpenAI error object, with the status that makes the SDK raise the right class."""

from __future__ import annotations

import math
from typing import Any

from luthier.errors import (
    BusyError,
    CapacityError,
    ContextError,
    DiskFullError,
    EngineError,
    LimitError,
    LuthierError,
    NotFoundError,
    RemoteError,
    StoreError,
    disk_is_full,
)

INVALID = "invalid_request_error"
LATER_S = "1"
"""Seconds after which a broken engine may be asked again (a Retry-After header)."""


class ApiError(Exception):
    """An answer that is an error. `retry` is whether the same request may succeed a little later."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        param: str | None = None,
        kind: str = INVALID,
        retry: bool = False,
        later: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.code, self.param = message, status, code, param
        self.kind, self.retry, self.later = kind, retry, later

    def to_json(self) -> dict[str, Any]:
        """Returns the body of the answer."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}

    @property
    def headers(self) -> dict[str, str]:
        """What tells the SDK not to repeat a request that cannot succeed: by itself it repeats 409 and 5xx."""
        repeated = self.status in {408, 409, 429} or self.status >= 500
        told = {} if self.later is None else {"retry-after": self.later}
        if self.status in {408, 413}:  # the rest of the body is not waited for
            told["connection"] = "close"
        return told | ({"x-should-retry": "true" if self.retry else "false"} if repeated else {})


def as_api_error(error: Exception) -> ApiError:
    """Returns what is said of `error`: its own words when it is one of ours, and none of its insides otherwise."""
    match error:
        case ApiError():
            return error
        case NotFoundError():
            return ApiError(str(error), status=404, param=error.param)
        case StoreError() | DiskFullError():
            return ApiError(str(error), status=503, kind="server_error", retry=True)
        case CapacityError():
            return ApiError(str(error), status=413, param=error.param)
        case RemoteError():
            return _from_elsewhere(error)
        case LimitError(what="money"):
            return ApiError(str(error), status=429, code="insufficient_quota", kind="insufficient_quota")
        case LimitError():
            wait = str(math.ceil(error.later_s))
            return ApiError(str(error), status=429, code="rate_limit_exceeded", kind=error.what, retry=True, later=wait)
        case BusyError():
            later = str(math.ceil(error.later_s))
            return ApiError(str(error), status=429, code="server_busy", kind="requests", retry=True, later=later)
        case EngineError():
            return ApiError(str(error), status=503, code="engine_down", kind="server_error", retry=True, later=LATER_S)
        case ContextError():
            return ApiError(str(error), code="context_length_exceeded", param=error.param or "messages")
        case LuthierError():
            return ApiError(str(error), param=error.param, code="invalid_value")
        case OSError() if disk_is_full(error):
            said = "The server's disk is full: somebody has to make room on it. Nothing of this request was kept."
            return ApiError(said, status=503, kind="server_error", retry=True)
    return ApiError("The server failed on this request; its log says why.", status=500, kind="server_error", retry=True)


PASSED_ON = {400: 400, 404: 404, 413: 413, 422: 400, 429: 429}
"""What another server says about the request itself; everything else is between that server and ours."""


def _from_elsewhere(error: RemoteError) -> ApiError:
    if error.status in PASSED_ON:
        busy = error.status == 429
        return ApiError(
            str(error),
            status=PASSED_ON[error.status],
            code=error.code,
            param=error.param,
            kind="requests" if busy else INVALID,
            retry=busy,
            later=error.later,
        )
    later = error.status == 0 or error.status >= 500
    return ApiError(str(error), status=502, code="upstream_error", kind="server_error", retry=later)


def no_model(name: str, param: str = "model") -> ApiError:
    """Returns the error for a model that is not served here."""
    return ApiError(
        f"The model {name!r} does not exist here; GET /v1/models lists those that do.",
        status=404,
        code="model_not_found",
        param=param,
    )
