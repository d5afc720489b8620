"""instructor, as people use it: `python instructor_tour.py URL MODEL`. Prints a line for each stop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import instructor
import openai
from instructor.core.exceptions import InstructorRetryException
from pydantic import BaseModel, Field, field_validator

MODES = (instructor.Mode.TOOLS, instructor.Mode.TOOLS_STRICT, instructor.Mode.JSON_SCHEMA)


class Person(BaseModel):
    name: str = Field(description="in full", max_length=20)
    age: int


class Mill(BaseModel):
    name: str = Field(max_length=20)
    keeper: Person


class Order(BaseModel):
    goods: list[Literal["flour", "bran", "meal"]] = Field(min_length=1, max_length=3)


class Grain(str, Enum):
    WHEAT = "wheat"
    RYE = "rye"


class Sack(BaseModel):
    grain: Grain
    full: bool
    kind: Literal["new", "used"]


class Note(BaseModel):
    text: str | None = Field(max_length=20)
    page: int | None


class Visit(BaseModel):
    day: date
    seen: datetime


class Price(BaseModel):
    amount: Annotated[int, Field(ge=3, le=12)]
    share: Annotated[float, Field(gt=0, lt=1)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{3}$")]


class Wheel(BaseModel):
    kind: Literal["wheel"]
    teeth: Annotated[int, Field(ge=1, le=99)]


class Belt(BaseModel):
    kind: Literal["belt"]
    width_mm: Annotated[int, Field(ge=1, le=99)]


class Part(BaseModel):
    part: Wheel | Belt = Field(discriminator="kind")


class Place(BaseModel):
    id: UUID
    position: tuple[int, int]
    worth: Decimal


class Stock(BaseModel):
    counts: dict[str, int] = Field(max_length=2)
    of: Sack


TEN = (Person, Mill, Order, Sack, Note, Visit, Price, Part, Place, Stock)


def asked(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


TEXT = asked("Text: Ada Quill, 41, keeps the mill at Tarn. She has wheat and rye since 2021-03-04.")


def ten_models(url: str, model: str) -> None:
    for mode in MODES:
        client = instructor.from_openai(openai.OpenAI(base_url=url, max_retries=0), mode=mode)
        for wanted in TEN:
            found, raw = client.chat.completions.create_with_completion(
                model=model, messages=TEXT, response_model=wanted, max_retries=0, temperature=0, max_tokens=400
            )
            assert isinstance(found, wanted), found
            assert raw.usage.completion_tokens > 0
            print(mode, found)


def main(url: str, model: str) -> None:
    ten_models(url, model)


if __name__ == "__main__":
    main(*sys.argv[1:])
