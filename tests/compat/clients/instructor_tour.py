"""instructor, as people use it: `python instructor_tour.py URL MODEL`. Prints a line for each stop."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import instructor
import openai
from instructor.core.exceptions import InstructorRetryException
from pydantic import BaseModel, Field, field_validator

MODES = (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA, instructor.Mode.RESPONSES_TOOLS)
Age = Annotated[int, Field(ge=0, le=130)]
Name = Annotated[str, Field(max_length=12)]


class Person(BaseModel):
    """Plain fields."""

    name: Name = Field(description="in full")
    age: Age


class Mill(BaseModel):
    """A model in a model."""

    name: Name
    keeper: Person


class Order(BaseModel):
    """Lists."""

    goods: list[Literal["flour", "bran", "meal"]] = Field(min_length=1, max_length=3)


class Grain(Enum):
    WHEAT = "wheat"
    RYE = "rye"


class Sack(BaseModel):
    """Enums, literals, true and false."""

    grain: Grain
    full: bool
    kind: Literal["new", "used"]


class Note(BaseModel):
    """What may be absent."""

    text: Name | None
    page: Age | None = None


class Visit(BaseModel):
    """Days and times."""

    day: date
    seen: datetime


class Price(BaseModel):
    """Numbers and texts within limits."""

    amount: Annotated[int, Field(ge=3, le=12)]
    share: Annotated[float, Field(gt=0, lt=1)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{3}$")]


class Wheel(BaseModel):
    kind: Literal["wheel"]
    teeth: Age


class Belt(BaseModel):
    kind: Literal["belt"]
    width_mm: Age


class Part(BaseModel):
    """One of two models, told apart by a field."""

    part: Wheel | Belt = Field(discriminator="kind")


class Place(BaseModel):
    """Tuples, ids."""

    id: UUID
    position: tuple[Age, Age]


class Weight(BaseModel):
    """Names that are no names of Python."""

    net: Age = Field(alias="net-weight")
    of: Grain = Grain.RYE


TEN = (Person, Mill, Order, Sack, Note, Visit, Price, Part, Place, Weight)
ASKED = [{"role": "user", "content": "Text: Ada Quill, 41, keeps the mill at Tarn. She has wheat since 2021-03-04."}]
PENALTY = {"frequency_penalty": 1.0}
"""It keeps the small model from saying one word to the end of its context. Responses have none."""


def client(url: str, mode: instructor.Mode) -> instructor.Instructor:
    return instructor.from_openai(openai.OpenAI(base_url=url, max_retries=0), mode=mode)


def ten_models(url: str, model: str) -> None:
    """All of them as instructor asks by itself, some in its other ways: the rules behind are the same."""
    for mode, models in zip(MODES, (TEN, TEN[::2], TEN[:2]), strict=True):
        more: dict[str, Any] = {} if "RESPONSES" in mode.name else PENALTY
        for wanted in models:
            found, reply = client(url, mode).create_with_completion(
                messages=ASKED, response_model=wanted, model=model, max_retries=0, temperature=0, **more
            )
            assert isinstance(found, wanted), found
            assert reply.usage.total_tokens > 0
        print(f"ten models: {mode}")


def refused(url: str, model: str) -> None:
    """What cannot be enforced is an error that names it: the hosted API refuses this keyword in strict schemas too."""

    class Counts(BaseModel):
        counts: dict[Literal["sacks", "carts"], Age]

    error = refusal(url, Counts, model=model, max_retries=0)
    assert isinstance(error.__cause__, openai.BadRequestError), error
    assert "propertyNames" in str(error)


def refusal(url: str, wanted: type[BaseModel], **options: Any) -> InstructorRetryException:
    """Returns how instructor gives up."""
    try:
        client(url, MODES[0]).create(messages=ASKED, response_model=wanted, temperature=0, **options)
    except InstructorRetryException as error:
        return error
    raise AssertionError("nothing was raised")


def retries(url: str, model: str) -> None:
    """A reply that a validator refuses is asked for again, with what it said."""
    for mode in MODES[:2]:
        tries: list[str] = []

        class Careful(BaseModel):
            grain: Literal["wheat", "rye"]

            @field_validator("grain")
            @classmethod
            def not_at_once(cls, value: str, tries: list[str] = tries) -> str:
                tries.append(value)
                if len(tries) == 1:
                    raise ValueError("say it once more, with care")
                return value

        asked: list[Any] = []
        careful = client(url, mode)
        careful.on("completion:kwargs", lambda *_, asked=asked, **words: asked.append(words["messages"]))
        found, reply = careful.create_with_completion(
            messages=ASKED, response_model=Careful, model=model, max_retries=2, temperature=0
        )
        assert isinstance(found, Careful)
        assert len(tries) == len(asked) == 2, (tries, asked)
        assert "say it once more, with care" in str(asked[1][len(ASKED) :])
        assert reply.usage.prompt_tokens > 0
        print(f"retries: {mode}")


def no_more_retries(url: str, model: str) -> None:
    class Never(BaseModel):
        grain: Literal["wheat", "rye"]

        @field_validator("grain")
        @classmethod
        def never(cls, value: str) -> str:
            raise ValueError(f"not {value}")

    tries = refusal(url, Never, model=model, max_retries=2, max_tokens=60).n_attempts
    assert tries == 3, tries


class Cart(BaseModel):
    """Without an enum: instructor's partial models take none but members of it."""

    grain: Literal["wheat", "rye"]
    full: bool
    sacks: Age


def partial(url: str, model: str) -> None:
    """A text grows piece by piece. A call of a tool comes whole, when it is known to be one."""
    for mode, grows in ((instructor.Mode.JSON_SCHEMA, True), (instructor.Mode.TOOLS, False)):
        states = list(client(url, mode).create_partial(messages=ASKED, response_model=Cart, model=model, temperature=0))
        filled = [len(state.model_dump(exclude_none=True)) for state in states]
        assert filled == sorted(filled), filled
        assert filled[-1] == 3, filled
        assert len(set(filled)) >= 3 or not grows, filled
        Cart.model_validate(states[-1].model_dump())
        print(f"partial: {mode}, {len(states)} states")


def several(url: str, model: str) -> None:
    """Objects of a list are there one by one, and whoever has enough may go."""
    asking = client(url, instructor.Mode.JSON_SCHEMA)
    found = asking.create_iterable(messages=ASKED, response_model=Cart, model=model, temperature=0)
    for cart, _ in zip(found, range(2), strict=False):
        assert isinstance(cart, Cart)
    found.close()


async def together(url: str, model: str) -> None:
    asking = instructor.from_openai(openai.AsyncOpenAI(base_url=url, max_retries=0), mode=MODES[0])
    wanted = (Sack, Price, Part)
    found = await asyncio.gather(
        *(asking.create(messages=ASKED, response_model=one, model=model, temperature=0, **PENALTY) for one in wanted)
    )
    assert all(isinstance(one, kind) for one, kind in zip(found, wanted, strict=True)), found


def main(url: str, model: str) -> None:
    for stop in (ten_models, refused, retries, no_more_retries, partial, several):
        began = time.monotonic()
        stop(url, model)
        print(f"{stop.__name__}: {time.monotonic() - began:.1f} s")
    asyncio.run(together(url, model))
    print(f"instructor {instructor.__version__}: done")


if __name__ == "__main__":
    main(*sys.argv[1:])
