"""Options of the tokens room: how long a sequence may be, what is done with longer ones, which turns are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from luthier.config import Options


class TokenOptions(Options):
    """How rows become token sequences."""

    title: ClassVar[str] = "Tokens"
    hints: ClassVar[Mapping[str, str]] = {
        "max_seq_length": "write max_length",
        "max_seq_len": "write max_length",
        "cutoff_len": "write max_length",
        "seq_length": "write max_length",
        "truncation": "write truncate",
        "truncation_side": "write truncate (start or end)",
        "train_on_inputs": "prompts are never trained; rows of plain text are trained whole",
        "completion_only_loss": "only the assistant's turns are trained",
        "assistant_only_loss": "only the assistant's turns are trained",
    }

    max_length: int | None = Field(
        default=None, ge=2, description="Longest sequence in tokens; the model's own context length when not given."
    )
    truncate: Literal["start", "end"] | None = Field(
        default=None, description="Cut sequences that are too long at this side, instead of dropping them."
    )
    drop_long: bool = Field(
        default=False, description="Drop sequences that are too long, however many labelled tokens they hold."
    )
    train_on: Literal["all", "last"] = Field(
        default="all", description="Which assistant turns carry loss: all of them, or only the last one of each row."
    )
    completion_style: Literal["chat", "plain"] = Field(
        default="chat",
        description="Prompt/completion rows become a user and an assistant turn (chat), or text without a template.",
    )

    @model_validator(mode="after")
    def _one_policy(self) -> TokenOptions:
        if self.truncate and self.drop_long:
            raise ValueError("truncate and drop_long contradict each other: give one of them")
        return self
