"""LlamaIndex's OpenAI fine-tune engine: `python llama_index_tour.py MODEL`.

Its package imports every engine there is, with torch, Mistral and Cohere's, whichever is asked for. Here the package is
an empty one in the same place, so that the modules of this engine, unchanged, are all that is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import types
from pathlib import Path

import llama_index.core
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai import OpenAI

bare = types.ModuleType("llama_index.finetuning")
bare.__path__ = [str(Path(llama_index.core.__file__).parents[1] / "finetuning")]
sys.modules["llama_index.finetuning"] = bare

from llama_index.finetuning.callbacks import OpenAIFineTuningHandler  # noqa: E402
from llama_index.finetuning.openai.base import OpenAIFinetuneEngine  # noqa: E402

URL = os.environ["OPENAI_BASE_URL"]


def recorded(model: str) -> OpenAIFineTuningHandler:
    """Returns the handler that has heard what was asked of a model and answered: rows to tune another on."""
    handler = OpenAIFineTuningHandler()
    asking = OpenAI(model, api_base=URL, temperature=0, max_tokens=4, callback_manager=CallbackManager([handler]))
    for number in range(3):
        asking.chat([ChatMessage(role="user", content=f"Text: The mill has {number} wheels.\nQuestion: How many?")])
    return handler


def tuned(handler: OpenAIFineTuningHandler, model: str) -> OpenAIFinetuneEngine:
    """Its own check of the rows fetches a vocabulary from the network, and is left out here."""
    data = Path("recorded.jsonl")
    engine = OpenAIFinetuneEngine.from_finetuning_handler(handler, model, str(data), validate_json=False, verbose=True)
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    assert [row["messages"][-1]["role"] for row in rows] == ["assistant"] * 3, rows
    engine.finetune()
    for _ in range(1200):
        job = engine.get_current_job()
        if job.status in ("succeeded", "failed"):
            break
        time.sleep(0.1)
    assert job.status == "succeeded", job.error
    again = OpenAIFinetuneEngine(model, str(data), start_job_id=job.id)
    assert again.get_current_job().fine_tuned_model == job.fine_tuned_model
    return engine


def answers(engine: OpenAIFinetuneEngine) -> None:
    asking = engine.get_finetuned_model(api_base=URL, temperature=0, max_tokens=8)
    assert asking.metadata.model_name == engine.get_current_job().fine_tuned_model
    question = [ChatMessage(role="user", content="Text: The mill has 2 wheels.\nQuestion: How many?")]
    whole = asking.chat(question)
    assert whole.raw.model == asking.model
    assert "".join(chunk.delta for chunk in asking.stream_chat(question)) == whole.message.content
    later = asyncio.run(asking.achat(question))
    assert later.message.content == whole.message.content


def main(model: str) -> None:
    handler = recorded(model)
    print("recorded")
    engine = tuned(handler, model)
    print("tuned")
    answers(engine)
    print("answers")
    print("llama-index: done")


if __name__ == "__main__":
    main(sys.argv[1])
