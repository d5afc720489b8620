"""Options of the rows room: where rows are, what shape they have, and how they are divided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from luthier.config import LocalPath, Options, Positional


class FormatOptions(Options):
    """How files of rows are read, whatever they are used for."""

    title = "Rows"
    hints: ClassVar[Mapping[str, str]] = {
        "dataset": "write rows",
        "train_file": "write rows",
        "data_files": "write rows",
        "dataset_format": "write format",
        "prompt_column": "write columns: prompt=NAME",
        "text_column": "write columns: text=NAME",
        "label_column": "write columns: label=NAME",
    }

    format: str = Field(
        default="auto",
        description="shape of the rows, such as openai-chat, alpaca or sharegpt; auto recognises it and says which",
    )
    columns: tuple[str, ...] = Field(
        default=(),
        description="columns to rename, as name=column: prompt=Question answer=Reply; a column of a table "
        "without a header line is named by its number: label=1 text=2",
    )
    text_unit: Literal["file", "line", "paragraph"] = Field(
        default="file", description="what one row is in .txt and .md files; paragraphs are parted by blank lines"
    )
    group_by: str | None = Field(
        default=None, description="column whose value groups rows (document, customer); a group is never split"
    )
    bad_rows: Literal["refuse", "skip"] = Field(
        default="refuse",
        description="what to do when some rows cannot be read: stop and list them, or leave them out, counted",
    )


class RowsOptions(FormatOptions):
    """Rows to work on."""

    title = "Rows"

    rows: Annotated[tuple[LocalPath, ...], Positional()] = Field(
        default=(),
        description="files, folders or patterns (.json .jsonl .csv .tsv .parquet .txt .md, each also .gz), "
        "or hub data sets: hub:OWNER/NAME[@REVISION][/SPLIT]",
    )


class SplitOptions(Options):
    """How rows are divided. Rows are placed by a fingerprint of what they say, so adding rows moves no other row."""

    title = "Split"
    hints: ClassVar[Mapping[str, str]] = {
        "val_size": "write validation_fraction",
        "validation_split": "write validation_fraction",
        "validation_file": "write validation_rows",
        "test_size": "write test_fraction",
        "test_split": "write test_fraction",
    }

    validation_rows: tuple[LocalPath, ...] = Field(
        default=(), description="files to validate on, instead of a fraction of the rows"
    )
    validation_fraction: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="share of the rows held out for validation (expected; the exact share varies)",
    )
    test_fraction: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="share of the rows held out for a final test (expected; the exact share varies)",
    )
    split_seed: int = Field(default=0, ge=0, description="seed of the split; another seed holds out other rows")
    duplicates: Literal["refuse", "move", "keep"] = Field(
        default="refuse",
        description="what to do with held-out rows that (nearly) repeat a row elsewhere: stop and list them, "
        "move them to train, or keep them and report",
    )

    @model_validator(mode="after")
    def _leaves_something(self) -> Self:
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to train on: make their sum below 1")
        return self
