"""Find out what another server honours, refuses or ignores, with small requests."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from luthier.config import Options, Outside, Positional
from luthier.errors import Interrupted
from luthier.report import Report, Table

if TYPE_CHECKING:
    from luthier.generation.findings import Findings


class Spec(Options):
    """Which server is asked, and how long it may take."""

    title = "Probe"
    url: Annotated[str, Outside("url"), Positional()] = Field(
        pattern=r"^https?://", description="the server's API, with its /v1: http://127.0.0.1:8000/v1"
    )
    model: str | None = Field(
        default=None, min_length=1, description="what the server calls the model; by default the only one it has"
    )
    key_variable: str | None = Field(
        default=None, min_length=1, description="the environment variable that holds the server's key"
    )
    request_seconds: float = Field(default=30.0, gt=0, le=600, description="how long one small request may take")
    seconds: float = Field(default=90.0, gt=0, le=3600, description="how long all of them may take")


@dataclass(frozen=True)
class Result:
    """What was found."""

    url: str
    findings: Findings

    def to_json(self) -> dict[str, Any]:
        return {"url": self.url} | self.findings.to_json()

    def tables(self) -> Sequence[Table]:
        return [self.findings.table()]

    def next_commands(self) -> Sequence[str]:
        model = shlex.quote(self.findings.model)
        return [f"luthier serve --model {model} --upstream {shlex.quote(self.url)}"]


def run(spec: Spec, report: Report) -> Result:
    """Returns what the server at `spec.url` does. `RemoteError` when it does not answer, `SpecError` when it has
    several models and none is named."""
    from luthier.generation.probe import probe
    from luthier.generation.remote import Remote, only_model, waited

    def told(done: int, total: int) -> None:
        if report.cancelled():
            raise Interrupted("the probe was stopped", where=spec.url)
        report.progress("probe", done, total)

    async def work() -> Findings:
        remote = Remote(spec.url, spec.model or "", key_variable=spec.key_variable)
        if spec.model is None:
            remote.model = await only_model(remote)
        return await probe(remote, told, request_s=spec.request_seconds, whole_s=spec.seconds)

    return Result(spec.url, waited(work()))
