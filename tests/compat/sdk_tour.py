"""What people do with the OpenAI SDK, done with whatever generation of it runs this: `python sdk_tour.py URL`.

It prints a line for each stop. Nothing of Luthier is imported: this is other people's code.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import random
import sys
import time
from typing import Literal

import openai
from pydantic import BaseModel

PASSAGE = "Text: Ada Quill keeps the mill at Tarn.\nQuestion: Who keeps the mill at Tarn?"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a town",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}


class Verdict(BaseModel):
    kind: Literal["fruit", "tool"]
    sure: bool


def rows(count: int) -> bytes:
    draw = random.Random(count)
    words = ["".join(draw.choices("aeioubdgklmnprst", k=6)) for _ in range(count)]
    lines = [
        {"messages": [{"role": "user", "content": f"Say {word}"}, {"role": "assistant", "content": word}]}
        for word in words
    ]
    return "\n".join(map(json.dumps, lines)).encode()


def ended(client: openai.OpenAI, job_id: str) -> object:
    for _ in range(1200):
        job = client.fine_tuning.jobs.retrieve(job_id)
        if job.status in ("succeeded", "failed", "cancelled"):
            return job
        time.sleep(0.1)
    raise TimeoutError(job_id)


def tune(client: openai.OpenAI) -> str:
    file = client.files.create(file=("rows.jsonl", rows(16)), purpose="fine-tune")
    assert client.files.content(file.id).text.count("\n") == 15
    job = client.fine_tuning.jobs.create(
        model="fiddle", training_file=file.id, suffix="tour", hyperparameters={"n_epochs": 2, "batch_size": 8}
    )
    job = ended(client, job.id)
    assert job.status == "succeeded", job.error
    events = [event.message for event in client.fine_tuning.jobs.list_events(fine_tuning_job_id=job.id, limit=2)]
    assert events[0] == "The job has successfully completed", events
    checkpoints = [one.step_number for one in client.fine_tuning.jobs.checkpoints.list(job.id, limit=1)]
    assert checkpoints == [4, 2], checkpoints
    result = client.files.content(job.result_files[0]).read()
    assert base64.b64decode(result).startswith(b"step,train_loss"), result[:40]
    assert job.id in [one.id for one in client.fine_tuning.jobs.list(limit=1)]
    return job.fine_tuned_model


def chat(client: openai.OpenAI, model: str) -> None:
    asked = [{"role": "user", "content": PASSAGE}]
    whole = client.chat.completions.create(model=model, messages=asked, temperature=0, max_tokens=12)
    stream = client.chat.completions.create(model=model, messages=asked, temperature=0, max_tokens=12, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == whole.choices[0].message.content
    assert whole._request_id.startswith("req_")


def tools(client: openai.OpenAI) -> None:
    asked = [{"role": "user", "content": "What is the weather in Tarn?"}]
    choice = client.chat.completions.create(
        model="fiddle", messages=asked, tools=[TOOL], tool_choice="required", temperature=0, max_tokens=80
    ).choices[0]
    assert choice.finish_reason == "tool_calls", choice
    assert json.loads(choice.message.tool_calls[0].function.arguments)["town"]


def parse(client: openai.OpenAI) -> None:
    schema = json.dumps(Verdict.model_json_schema(), separators=(",", ":"))
    asked = [{"role": "user", "content": f"Schema: {schema}\nText: The plum is ripe.\nAnswer with JSON only."}]
    completions = client.chat.completions if hasattr(client.chat.completions, "parse") else client.beta.chat.completions
    found = completions.parse(model="fiddle", messages=asked, response_format=Verdict, temperature=0)
    assert isinstance(found.choices[0].message.parsed, Verdict)


def embeddings(client: openai.OpenAI) -> None:
    found = client.embeddings.create(model="all-minilm-l6-v2", input=["a mill", "a lighthouse"])
    assert [len(one.embedding) for one in found.data] == [384, 384]
    assert abs(sum(value**2 for value in found.data[0].embedding) - 1) < 1e-3


def completions(client: openai.OpenAI) -> None:
    found = client.completions.create(model="fiddle", prompt="Once", max_tokens=4, logprobs=1, echo=True, temperature=0)
    assert found.choices[0].text.startswith("Once")
    assert len(found.choices[0].logprobs.token_logprobs) == len(found.choices[0].logprobs.tokens)


def responses(client: openai.OpenAI) -> None:
    first = client.responses.create(model="fiddle", input=PASSAGE, temperature=0, max_output_tokens=16)
    assert first.output_text
    with client.responses.stream(model="fiddle", input=PASSAGE, temperature=0, max_output_tokens=16) as stream:
        assert stream.get_final_response().output_text == first.output_text
    second = client.responses.create(
        model="fiddle", input="Why?", previous_response_id=first.id, temperature=0, max_output_tokens=16
    )
    read = [item.content[0].text for item in client.responses.input_items.list(second.id, limit=1, order="asc")]
    assert read == [PASSAGE, first.output_text, "Why?"], read
    called = client.responses.create(
        model="fiddle",
        input="What is the weather in Tarn?",
        tools=[{"type": "function", "strict": True, **TOOL["function"]}],
        tool_choice="required",
        temperature=0,
        max_output_tokens=80,
    )
    assert json.loads(called.output[-1].arguments)["town"]
    schema = json.dumps(Verdict.model_json_schema(), separators=(",", ":"))
    found = client.responses.parse(
        model="fiddle",
        input=f"Schema: {schema}\nText: The plum is ripe.\nAnswer with JSON only.",
        text_format=Verdict,
        temperature=0,
    )
    assert isinstance(found.output_parsed, Verdict)
    for one in (first, second, called, found):
        client.responses.delete(one.id)


def batches(client: openai.OpenAI) -> None:
    body = {"model": "fiddle", "messages": [{"role": "user", "content": PASSAGE}], "max_tokens": 4}
    lines = [
        {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}
        for number in range(3)
    ]
    content = io.BytesIO("\n".join(map(json.dumps, lines)).encode())
    file = client.files.create(file=("batch.jsonl", content), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"tour": "yes"}
    )
    for _ in range(600):
        batch = client.batches.retrieve(batch.id)
        if batch.status in ("completed", "failed", "expired", "cancelled"):
            break
        time.sleep(0.1)
    assert (batch.status, batch.request_counts.completed) == ("completed", 3), batch
    answers = map(json.loads, client.files.content(batch.output_file_id).text.splitlines())
    assert {answer["custom_id"] for answer in answers} == {"r0", "r1", "r2"}


def pages(client: openai.OpenAI) -> None:
    """Reads each list in pages of two, to its end; what is in it comes once."""
    ids = [client.files.create(file=io.BytesIO(b"%d" % n), purpose="user_data").id for n in range(5)]
    stored = [
        client.chat.completions.create(
            model="fiddle", messages=[{"role": "user", "content": "x"}], max_tokens=1, store=True
        ).id
        for _ in range(3)
    ]
    talk = client.conversations.create(items=[{"role": "user", "content": str(n)} for n in range(3)])
    job = next(iter(client.fine_tuning.jobs.list(limit=1)))
    point = next(iter(client.fine_tuning.jobs.checkpoints.list(job.id))).fine_tuned_model_checkpoint
    given = client.fine_tuning.checkpoints.permissions.create(point, project_ids=["a", "b", "c"])
    few = client.files.create(file=("few.jsonl", rows(4)), purpose="fine-tune")
    client.fine_tuning.jobs.cancel(client.fine_tuning.jobs.create(model="fiddle", training_file=few.id).id)
    empty = client.files.create(file=io.BytesIO(b""), purpose="batch")
    for _ in range(3):
        client.batches.create(input_file_id=empty.id, endpoint="/v1/embeddings", completion_window="24h")
    lists = {
        "models": (client.models.list(), None),
        "files": (client.files.list(purpose="user_data", limit=2), ids[::-1]),
        "jobs": (client.fine_tuning.jobs.list(limit=2), None),
        "events": (client.fine_tuning.jobs.list_events(job.id, limit=2), None),
        "checkpoints": (client.fine_tuning.jobs.checkpoints.list(job.id, limit=1), None),
        "stored": (client.chat.completions.list(limit=2), stored),
        "batches": (client.batches.list(limit=2), None),
        "items": (client.conversations.items.list(talk.id, limit=2, order="asc"), None),
    }
    if hasattr(client.fine_tuning.checkpoints.permissions, "list"):
        permitted = client.fine_tuning.checkpoints.permissions.list(point, limit=2)
        lists["permissions"] = (permitted, [one.id for one in given][::-1])
    for name, (found, wanted) in lists.items():
        read = [one.id for one in found]
        assert len(read) == len(set(read)) >= 2, (name, read)
        assert wanted is None or read == wanted, (name, read, wanted)
    for id in ids:
        client.files.delete(id)
    for id in stored:
        client.chat.completions.delete(id)
    client.conversations.delete(talk.id)


def errors(client: openai.OpenAI) -> None:
    for wanted, call in (
        (openai.NotFoundError, lambda: client.models.retrieve("nothing")),
        (openai.NotFoundError, lambda: client.fine_tuning.jobs.retrieve("ftjob-none")),
        (openai.BadRequestError, lambda: client.chat.completions.create(model="fiddle", messages=[])),
        (openai.PermissionDeniedError, lambda: client.models.delete("fiddle")),
    ):
        raised = None
        try:
            call()
        except openai.OpenAIError as error:
            raised = error
        assert isinstance(raised, wanted), f"{wanted.__name__} was not raised, but {raised!r}"


async def together(url: str) -> None:
    async with openai.AsyncOpenAI(base_url=url, api_key="anything") as client:
        asked = [{"role": "user", "content": PASSAGE}]
        whole = await asyncio.gather(
            *(
                client.chat.completions.create(model="fiddle", messages=asked, temperature=0, max_tokens=8)
                for _ in range(6)
            )
        )
        assert len({one.choices[0].message.content for one in whole}) == 1
        stream = await client.chat.completions.create(
            model="fiddle", messages=asked, temperature=0, max_tokens=8, stream=True
        )
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        assert text == whole[0].choices[0].message.content
        assert [model.id async for model in client.models.list()]


def main(url: str) -> None:
    with openai.OpenAI(base_url=url, api_key="anything", max_retries=0) as client:
        model = tune(client)
        print(f"tuned {model}")
        for name in ("fiddle", model):
            chat(client, name)
        for stop in (tools, parse, embeddings, completions, responses, batches, pages, errors):
            stop(client)
            print(stop.__name__)
        asyncio.run(together(url))
        print("together")
        assert client.models.delete(model).deleted
    print(f"openai {openai.__version__}: done")


if __name__ == "__main__":
    main(sys.argv[1])
