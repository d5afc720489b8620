"""One request as a handler sees it, and one route as the application and the docs see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from luthier.access.gate import Meter
from luthier.server.state import Server
from luthier.server.wire.body import Part


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart request: its name and an open, readable stream."""

    filename: str
    stream: Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `meter` counts what it uses; `query` and `body` are of the types that the route names.

    `file` is a form's. `deadline` is when its answer has to be there, by the event loop's clock; None is never.
    """

    server: Server
    meter: Meter
    path: Mapping[str, str]
    query: Any
    body: Any
    file: Upload | None
    deadline: float | None = None

    @property
    def project(self) -> str:
        """Whose request it is: that of the key that came with it."""
        return self.meter.key.project


Handler = Callable[[Call], Any]
"""Returns the JSON of the answer, or a Starlette response. One that is a coroutine runs in the event loop, and is
cancelled when the client leaves; any other runs in a thread, to its end."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route: `query` is the type of the keys it takes there, `body` that of its JSON or of the form around `file`.

    Where `counted` is set the route uses models, and what they use is counted as that. `media` is what it answers.
    """

    method: str
    path: str
    handler: Handler
    body: type[Part] | None = None
    query: type[Part] = Part
    file: str = ""
    counted: str = ""
    media: str = "application/json"

    @property
    def said_path(self) -> str:
        """The path as people write it: `{model:path}` is `{model}`."""
        return self.path.replace(":path}", "}")
