from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import pytest

import luthier
from luthier import cli
from luthier.errors import Interrupted, ModelError, RowsError, SpecError
from luthier.report import ListReport, MarkedText, Table
from luthier.workflows import data

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
ROWS = [
    ("the old violin", "a bow"),
    ("a cello", "tune the lute at 9"),
    ("the old violin", "a bow"),
    ("harps", "2 lutes"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tokenizer and a configuration, and no weights."""
    from luthier.models.options import ScratchOptions
    from luthier.models.scratch import train_tokenizer

    folder = tmp_path_factory.mktemp("model")
    texts = [" ".join(pair) for pair in ROWS] * 20
    tokenizer: Any = train_tokenizer(texts, ScratchOptions(vocab_size=320, max_position_embeddings=64))
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "max_position_embeddings": 64}))
    return str(folder)


def chat(*pairs: tuple[str, str], system: str = "") -> list[dict[str, Any]]:
    head = [{"role": "system", "content": system}] if system else []
    return [
        {"messages": [*head, {"role": "user", "content": ask}, {"role": "assistant", "content": answer}]}
        for ask, answer in pairs
    ]


def write(folder: Path, rows: list[dict[str, Any]], name: str = "rows.jsonl") -> str:
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def inspect(model: str, *rows: str, report: ListReport | None = None, **options: Any) -> data.Result:
    result = luthier.inspect(rows=list(rows), model=model, report=report, **options)
    assert isinstance(result, data.Result)
    return result


def test_the_figures_are_those_of_the_rows(model: str, tmp_path: Path) -> None:
    figures = inspect(model, write(tmp_path, chat(*ROWS, system="be kind"))).figures
    assert (figures.rows, figures.kind, figures.format) == (4, "conversation", "openai-chat")
    assert figures.roles == {"system": 4, "user": 4, "assistant": 4}
    assert (figures.exact, len(figures.repeats)) == (1, 1)
    assert (figures.repeats[0].place, figures.repeats[0].twin) == ("rows.jsonl:3", "rows.jsonl:1")


def test_tokens_and_labels_are_counted_by_the_template_of_the_model(model: str, tmp_path: Path) -> None:
    from luthier.models.opening import open_model

    figures = inspect(model, write(tmp_path, chat(("the old violin", "a bow")))).figures
    template = open_model(model, weights=False).template
    prompt = len(template.encode(["<|user|>the old violin<|end|><|assistant|>"])[0])
    whole = len(template.encode(["<|user|>the old violin<|end|><|assistant|>a bow<|end|>"])[0])
    assert list(figures.tokens.lengths) == [whole]
    assert list(figures.tokens.labels) == [whole - prompt]
    assert figures.tokens.template == "its own chat template"


def test_excerpts_mark_what_is_trained(model: str, tmp_path: Path) -> None:
    figures = inspect(model, write(tmp_path, chat(*ROWS)), show=2).figures
    assert len(figures.excerpts) == 2
    first = figures.excerpts[0]
    assert "".join(piece for piece, _ in first.pieces) == "<|user|>the old violin<|end|><|assistant|>a bow<|end|>"
    assert "".join(piece for piece, trained in first.pieces if trained) == "a bow<|end|>"
    trained = sum(mark for _, mark in first.pieces)
    assert first.label == f"rows.jsonl:1 · {len(first.pieces)} tokens, {trained} trained"
    assert inspect(model, write(tmp_path, chat(*ROWS)), show=0).figures.excerpts == ()


def test_long_rows_are_counted_whole_and_what_each_way_out_loses_is_said(model: str, tmp_path: Path) -> None:
    rows = chat(("the old violin", "a bow"), ("harps " * 100, "2 lutes"))
    report = ListReport()
    figures = inspect(model, write(tmp_path, rows), report=report).figures
    loss = figures.tokens.loss
    assert max(figures.tokens.lengths) > 64
    assert (loss.limit, loss.sequences) == (64, 1)
    assert loss.dropped == loss.cut_end == figures.tokens.labels[1]
    assert loss.cut_start == 0
    warning = next(message for kind, message in report.events if kind == "warning")
    assert "1 sequences are longer than 64 tokens" in warning
    assert "--truncate start 0.0 %" in warning
    assert figures.tokens.longest[0].place == "rows.jsonl:2"
    assert inspect(model, write(tmp_path, rows), max_length=32).figures.tokens.loss.limit == 32


def test_a_length_the_model_cannot_take_is_refused(model: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="max_length"):
        inspect(model, write(tmp_path, chat(*ROWS)), max_length=65)


def test_text_is_divided_and_loses_nothing(model: str, tmp_path: Path) -> None:
    report = ListReport()
    figures = inspect(model, write(tmp_path, [{"text": "harps " * 100}]), report=report).figures
    assert figures.tokens.loss.sequences == 1
    assert figures.tokens.loss.dropped == 0
    assert not [kind for kind, _ in report.events if kind == "warning"]


def test_kinds_without_a_template_are_counted_as_text(model: str, tmp_path: Path) -> None:
    rows = [{"prompt": "the old violin", "chosen": "a bow", "rejected": "harps"}]
    result = inspect(model, write(tmp_path, rows))
    assert result.figures.kind == "preference"
    assert sum(result.figures.tokens.lengths) > 0
    assert not result.figures.tokens.labelled
    assert result.figures.excerpts == ()
    assert any("Labels are counted for" in table.note for table in result.tables() if isinstance(table, Table))


def test_the_cost_is_tokens_times_epochs_times_price(model: str, tmp_path: Path) -> None:
    file = write(tmp_path, chat(*ROWS))
    result = inspect(model, file, price_per_million_tokens=2_000_000.0, num_train_epochs=3.0)
    total = sum(result.figures.tokens.lengths)
    assert result.to_json()["cost"]["total"] == pytest.approx(total * 3 * 2)
    assert (f"cost at {2_000_000:,} per million tokens", f"{total * 6:,.2f}") in cells(result, "Tokens")
    plain = inspect(model, file)
    assert plain.to_json()["cost"] is None
    assert any("--price-per-million-tokens" in table.note for table in plain.tables() if isinstance(table, Table))


def cells(result: data.Result, title: str) -> tuple[tuple[str, ...], ...]:
    return next(table.rows for table in result.tables() if isinstance(table, Table) and table.title == title)


def test_the_result_is_json_tables_and_the_next_command(model: str, tmp_path: Path) -> None:
    result = inspect(model, write(tmp_path, chat(*ROWS), "my rows.jsonl"))
    out = json.loads(json.dumps(result.to_json()))
    assert out["tokens"]["lengths"]["total"] == sum(result.figures.tokens.lengths)
    assert sum(one["sequences"] for one in out["tokens"]["histogram"]) == 4
    assert [type(part) for part in result.tables()] == [Table] * 5 + [MarkedText] * 3
    assert result.next_commands() == [f"luthier tune '{tmp_path}/my rows.jsonl' --model {model}"]


def test_what_is_not_among_the_rows_is_counted(model: str, tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_text("x")
    write(tmp_path, [*[row | {"extra": 1} for row in chat(*ROWS)], {"messages": "none"}])
    result = inspect(model, str(tmp_path), bad_rows="skip")
    shown = dict(cells(result, "Rows"))
    assert shown["column extra not used, rows"] == "4"
    assert shown["bad rows left out"] == "1"
    assert shown["files left out"] == "1"


def test_files_of_one_name_are_told_apart(model: str, tmp_path: Path) -> None:
    files = []
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
        files.append(write(tmp_path / part, chat(*ROWS[:2])))
    repeats = inspect(model, *files).figures.repeats
    assert {(one.place, one.twin) for one in repeats} == {(f"{files[1]}:{i}", f"{files[0]}:{i}") for i in (1, 2)}


def test_the_page_is_written_and_hostile_rows_are_only_text(model: str, tmp_path: Path) -> None:
    output = tmp_path / "out" / "report.html"
    report = ListReport()
    rows = chat(*ROWS, ("<script>alert(1)</script>", "</style><img src=x onerror=alert(1)>\u202e"))
    inspect(model, write(tmp_path, rows), output=str(output), report=report)
    page = output.read_text(encoding="utf-8")
    assert page.count("<script") == 1
    assert "<img" not in page
    assert all(title in page for title in ("Tokens per sequence", "Longest rows", "Repeated rows", "Trained tokens"))
    assert ("result", f"report: {output}") in report.events
    with pytest.raises(SpecError, match="is a folder"):
        inspect(model, write(tmp_path, rows), output=str(tmp_path))


def test_reading_and_counting_report_progress_and_stop_when_asked(model: str, tmp_path: Path) -> None:
    file = write(tmp_path, chat(*ROWS))
    report = ListReport()
    inspect(model, file, report=report)
    assert report.tasks["count tokens"] == (4, 4)
    with pytest.raises(Interrupted):
        inspect(model, file, report=ListReport(stop=True))


def test_missing_files_and_models_are_refused(model: str, tmp_path: Path) -> None:
    with pytest.raises(RowsError, match=r"none\.jsonl"):
        inspect(model, str(tmp_path / "none.jsonl"))
    with pytest.raises(ModelError):
        inspect(str(tmp_path / "none"), write(tmp_path, chat(*ROWS)))


def test_the_command_prints_the_same(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", write(tmp_path, chat(*ROWS)), "--model", model, "--show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "repeated word for word   1" in shown
    assert "«a bow<|end|>»" in shown
    assert "next:\n  luthier tune" in shown
    gc.collect()  # a file left open would be a warning, and so an error


def test_the_next_command_cuts_what_is_too_long_and_keeps_how_the_rows_were_read(model: str, tmp_path: Path) -> None:
    long = chat(("why", "because of the bow " * 60))
    report = ListReport()
    kept = inspect(model, write(tmp_path, long), report=report)
    assert kept.next_commands()[0].endswith("--truncate end")
    assert any("this model takes no longer ones" in message for _, message in report.events)
    renamed = write(tmp_path, [{"Ask": "why", "Say": "so"}], "renamed.jsonl")
    result = inspect(model, renamed, columns=("prompt=Ask", "completion=Say"), train_on="last")
    assert result.next_commands() == [
        f"luthier tune {renamed} --model {model} --columns prompt=Ask completion=Say --train-on last"
    ]


def test_the_next_command_names_the_method_that_reads_the_rows(model: str, tmp_path: Path) -> None:
    assert "--method clm" in inspect(model, write(tmp_path, [{"text": "the old violin"}])).next_commands()[0]
    pairs = [{"prompt": "a", "chosen": "the bow", "rejected": "a bow"}]
    assert inspect(model, write(tmp_path, pairs, "pairs.jsonl")).next_commands() == []
