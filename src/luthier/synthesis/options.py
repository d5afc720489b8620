"""Options of the synthesis room: which questions are written, how they are divided and what is kept of them."""

from __future__ import annotations

from typing import ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from luthier.config import Options

Kind = Literal["fact", "several", "unanswerable", "paraphrase"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class QuestionOptions(Options):
    """What is asked about passages, and which questions stay."""

    title: ClassVar[str] = "Questions"

    kinds: tuple[Kind, ...] = Field(
        default=KINDS,
        min_length=1,
        description="questions of a fact in a passage, of several passages, unanswerable ones, facts in other words",
    )
    passages: int | None = Field(default=None, ge=1, description="passages to ask about at most, drawn by the seed")
    passage_tokens: int = Field(default=220, ge=16, le=8192, description="tokens of a passage at most")
    test_fraction: float = Field(
        default=0.2, ge=0, lt=1, description="share of the documents whose questions are for the test alone"
    )
    unseen_fraction: float = Field(
        default=0.1, ge=0, lt=1, description="share of the other documents' questions that is held out as well"
    )
    context: Literal["passage", "none"] = Field(
        default="passage", description="whether rows to tune on hold the passage, or the question alone"
    )
    reach: int = Field(
        default=20, ge=1, le=1000, description="its passage must be among so many that the question finds"
    )
    near: float = Field(
        default=0.9, gt=0, le=1, description="questions whose vectors are this alike are one: the later one goes"
    )
    seed: int = Field(default=0, ge=0, description="seed of what is drawn and of how documents are divided")

    @model_validator(mode="after")
    def _has_facts(self) -> Self:
        if "paraphrase" in self.kinds and "fact" not in self.kinds:
            raise ValueError("kinds: paraphrase puts facts in other words; add fact")
        return self


class CostOptions(Options):
    """What may be spent."""

    title: ClassVar[str] = "Cost"

    dry_run: bool = Field(default=False, description="stop after the trial, which says what the whole would take")
    dry_passages: int = Field(default=20, ge=2, le=1000, description="passages of the trial; its replies are kept")
    price_input: float = Field(default=0.0, ge=0, description="price of a million tokens that the model reads")
    price_output: float = Field(default=0.0, ge=0, description="price of a million tokens that it writes")
    max_cost: float | None = Field(
        default=None, ge=0, description="go no further than the trial where the whole may cost more"
    )
