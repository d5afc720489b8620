"""DSPy's fine-tuning client: `python dspy_tour.py URL MODEL ROWS`. Its waiting asks every twenty seconds.

A job is asked for through `dspy.LM`, is waited for as the future it is, and the model that it gives back answers.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import dspy
import openai
from dspy.clients.openai import OpenAIProvider
from dspy.clients.utils_finetune import TrainDataFormat, TrainingStatus

TRAINING = {"n_epochs": 2, "batch_size": 8}


def answers(base: dspy.LM) -> None:
    """A signature is filled in by the model; its reply is read, or is one that cannot be."""
    (said,) = base("Text: Ada Quill keeps the mill.\nQuestion: Who keeps the mill?")
    assert said
    usage = base.history[-1]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def finetune(base: dspy.LM, rows: list[dict[str, object]]) -> dspy.LM:
    job = base.finetune(rows, TrainDataFormat.CHAT, TRAINING)
    tuned = job.result(timeout=200)
    if isinstance(tuned, Exception):
        raise tuned
    assert job.status() == TrainingStatus.succeeded
    assert OpenAIProvider.does_job_exist(job.provider_job_id)
    assert OpenAIProvider.does_file_exist(job.provider_file_id)
    assert not OpenAIProvider.does_job_exist("ftjob-none")
    assert tuned.model == openai.fine_tuning.jobs.retrieve(job.provider_job_id).fine_tuned_model
    assert tuned.model.startswith("ft:")
    assert openai.files.content(job.provider_file_id).text.count("\n") == len(rows)
    return tuned


def cancel(base: dspy.LM, rows: list[dict[str, object]]) -> None:
    """A job that is cancelled is so on the server, and its file is deleted."""
    file = OpenAIProvider.upload_data(_written(rows))
    job = base.provider.TrainingJob(model=base.model)
    job.provider_file_id = file
    job.provider_job_id = number = OpenAIProvider._start_remote_training(file, base.model.removeprefix("openai/"))
    job.cancel()
    for _ in range(300):
        if openai.fine_tuning.jobs.retrieve(number).status == "cancelled":
            break
        time.sleep(0.1)
    else:
        raise TimeoutError(number)
    assert not OpenAIProvider.does_file_exist(file)


def _written(rows: list[dict[str, object]]) -> str:
    path = Path("again.jsonl")
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


def main(url: str, model: str, data: str) -> None:
    rows = [json.loads(line) for line in Path(data).read_text(encoding="utf-8").splitlines()]
    base = dspy.LM(f"openai/{model}", api_base=url, api_key="anything", temperature=0, max_tokens=24, cache=False)
    answers(base)
    print("answers")
    tuned = finetune(base, rows)
    print("finetune")
    assert tuned(rows[0]["messages"][0]["content"])
    assert tuned.history[-1]["response"].model == tuned.model
    print("tuned model answers")
    cancel(base, rows)
    print("cancel")
    print("dspy: done")


if __name__ == "__main__":
    main(*sys.argv[1:])
