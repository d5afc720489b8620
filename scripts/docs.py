"""Writes the generated parts of the pages in docs/: `make docs`. tests/test_docs.py fails when they are out of date."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from luthier import workflows
from luthier.cli import command, commands
from luthier.config import Field, fields
from luthier.server.call import Endpoint
from luthier.server.routes import ENDPOINTS
from luthier.server.wire.body import Part
from luthier.server.wire.numbers import Number, numbers_of

DOCS = Path(__file__).parents[1] / "docs"
PAGE, SERVER, README = DOCS / "options.md", DOCS / "server.md", DOCS.parent / "README.md"
RESOURCES = {
    "models": ("the catalogue, tuned models and their checkpoints", ""),
    "files": ("all purposes, expiry, content", "JSONL is validated by the job that reads it"),
    "uploads": ("parts, md5", ""),
    "fine_tuning": (
        "supervised; events, metrics, result file, checkpoints, pause, resume, cancel, permissions",
        "`dpo` and `reinforcement` are refused for now; the model of the best validation loss is the result",
    ),
    "chat": (
        "streams, choices, seeds, log-probabilities, penalties, biases, tools, JSON schemas, stored completions",
        "text only; a schema is always enforced, or refused by the keyword that cannot be",
    ),
    "responses": (
        "text, events, functions, JSON schemas, file_search with citations, earlier responses, counting tokens",
        "nothing runs in the background; reasoning and the vendor's tools but file_search are refused; kept 30 days",
    ),
    "vector_stores": (
        "stores, files, batches of files, attributes, chunking, expiry, search with filters, content",
        "chunks longer than the embedder reads are embedded by their beginning; questions are not rewritten",
    ),
    "conversations": ("items of any number of responses", "deleting one deletes its items"),
    "batches": (
        "every endpoint that answers; counts, usage, errors by line, cancelling, going on after a restart",
        "one batch at a time, 8 requests of it together",
    ),
    "luthier": ("jobs of Luthier's own verbs: tune, evaluate, export, data", "not in the hosted API"),
    "completions": ("prompts of text or tokens, echo, log-probabilities, best_of", "no `suffix`"),
    "moderations": (
        "a classifier of the catalogue, or rules of words and patterns",
        "the rules score 0 or 1; see what is not covered",
    ),
    "embeddings": ("numbers or base64, fewer dimensions", "token ids are refused unless the catalogue takes them"),
}
"""Resource (the first part of its paths) -> what is there, and what differs from the hosted API."""

_CONTEXT = "at least one token, and no more than any model's context has"
_OURS = "not in the hosted API"
_PAGE = "the hosted API states no range; this is that of its other lists"
_LISTS = (
    "/fine_tuning/jobs",
    "/fine_tuning/jobs/{fine_tuning_job_id}/events",
    "/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints",
    "/fine_tuning/checkpoints/{model}/permissions",
    "/chat/completions",
    "/chat/completions/{completion_id}/messages",
    "/responses/{response_id}/input_items",
    "/batches",
)
DIFFERS: Mapping[tuple[str, str], str] = {
    **{("POST /chat/completions", name): _CONTEXT for name in ("max_tokens", "max_completion_tokens")},
    **{(f"POST /{path}", name): _OURS for path in ("chat/completions", "completions") for name in ("top_k", "min_p")},
    **{("POST /responses", name): _OURS for name in ("presence_penalty", "frequency_penalty")},
    **{(f"GET {path}", "limit"): _PAGE for path in _LISTS},
    ("POST /completions", "max_tokens"): "no more than any model's context has",
    ("POST /completions", "logprobs"): "5 at most there; more takes little more time here",
    ("POST /completions", "best_of"): "0 is allowed there, which would be no reply; the default is n",
    ("POST /completions", "prompt[]"): "the range of a token's id is not stated there",
    ("POST /completions", "prompt[][]"): "the range of a token's id is not stated there",
    ("POST /responses", "max_output_tokens"): "no more than any model's context has",
    ("POST /embeddings", "input[]"): "the range of a token's id is not stated there",
    ("POST /embeddings", "input[][]"): "the range of a token's id is not stated there",
    ("POST /embeddings", "dimensions"): "more than any model has is refused before one is loaded",
    **{
        (f"POST {path}", f"{where}chunking_strategy.static.chunk_overlap_tokens"): "half of the chunk at most, as there"
        for path, where in (
            ("/vector_stores", ""),
            ("/vector_stores/{vector_store_id}/files", ""),
            ("/vector_stores/{vector_store_id}/file_batches", ""),
            ("/vector_stores/{vector_store_id}/file_batches", "files[]."),
        )
    },
    **{
        (path, f"tools[].ranking_options.hybrid_search.{name}"): "shares of a whole: the hosted API states no range"
        for path in ("POST /responses", "POST /responses/input_tokens")
        for name in ("embedding_weight", "text_weight")
    },
    **{
        ("POST /responses/input_tokens", f"tools[].{name}"): "as of POST /responses"
        for name in ("max_num_results", "ranking_options.score_threshold")
    },
    ("POST /fine_tuning/jobs", "hyperparameters.learning_rate_multiplier"): "beyond 1000 nothing is learnt",
    ("POST /fine_tuning/jobs", "method.supervised.hyperparameters.learning_rate_multiplier"): "as above",
}
"""Number of an endpoint -> why it differs from the hosted API's. tests/server/test_number_ranges.py compares them."""
ABSENT: Mapping[tuple[str, str], str] = {
    ("POST /responses", "max_tool_calls"): "ignored: it counts calls of tools that the server runs, and there are none",
    **{
        ("POST /fine_tuning/jobs", f"method.{name}"): "ignored beside `supervised`, and the method itself is refused"
        for name in (
            "dpo.hyperparameters.n_epochs",
            "dpo.hyperparameters.batch_size",
            "dpo.hyperparameters.learning_rate_multiplier",
            "dpo.hyperparameters.beta",
            "reinforcement.hyperparameters.n_epochs",
            "reinforcement.hyperparameters.batch_size",
            "reinforcement.hyperparameters.learning_rate_multiplier",
            "reinforcement.hyperparameters.compute_multiplier",
            "reinforcement.hyperparameters.eval_interval",
            "reinforcement.hyperparameters.eval_samples",
        )
    },
}
"""Number of the hosted API that no field takes here -> what becomes of it."""

BLOCK = re.compile(r"<!-- options:(\w+) -->\n.*?<!-- /options -->", re.DOTALL)


def option_tables(name: str) -> str:
    """Returns the options of verb `name` in Markdown: a table for each room they belong to."""
    groups: dict[str, list[Field]] = {}
    for field in sorted(fields(command(name).Spec), key=lambda field: not field.positional):
        groups.setdefault(field.group or "Other", []).append(field)
    return "\n\n".join(f"**{group}**\n\n{_table(members)}" for group, members in groups.items())


def renewed(page: str) -> str:
    """Returns `page` with every table made anew, tables of verbs that are gone removed, and missing ones at the end."""
    present = set(BLOCK.findall(page))
    page = BLOCK.sub(lambda match: _block(match[1]) if match[1] in commands() else "", page)
    return page + "".join(
        f"\n## luthier {name}\n\n{_summary(name)}\n\n{_block(name)}\n" for name in commands() if name not in present
    )


def renewed_server(page: str) -> str:
    """Returns the server's page with its routes and keys made anew."""
    return _filled(
        page, {"routes": route_table(ENDPOINTS), "keys": key_tables(ENDPOINTS), "numbers": number_tables(ENDPOINTS)}
    )


def renewed_readme(page: str) -> str:
    """Returns the README with its table of resources made anew."""
    return _filled(page, {"resources": resource_table(ENDPOINTS)})


def resource_table(endpoints: Iterable[Endpoint]) -> str:
    """Returns what the server has of the API in Markdown; `KeyError` for what is not described."""
    counts: dict[str, int] = {}
    for one in endpoints:
        name = one.path.split("/")[1]
        counts[name] = counts.get(name, 0) + 1
    rows = ["| resource | routes | what runs | what differs |", "|---|---|---|---|"]
    rows += [f"| {name} | {count} | {RESOURCES[name][0]} | {RESOURCES[name][1]} |" for name, count in counts.items()]
    return "\n".join(rows)


def _filled(page: str, blocks: Mapping[str, str]) -> str:
    for name, text in blocks.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, _, rest = page.partition(start)
        page = f"{head}{start}{text}\n{end}{rest.partition(end)[2]}"
    return page


def route_table(endpoints: Iterable[Endpoint]) -> str:
    """Returns the routes in Markdown."""
    rows = ["| method | path | keys of the query |", "|---|---|---|"]
    for one in endpoints:
        query = ", ".join(f"`{key}`" for key in (*one.query.model_fields, *one.query.harmless))
        rows.append(f"| {one.method} | `{one.said_path}` | {query} |")
    return "\n".join(rows)


def key_tables(endpoints: Iterable[Endpoint]) -> str:
    """Returns the keys of every body in Markdown: honoured, harmless and refused ones."""
    return "\n\n".join(_keys(one, one.body) for one in endpoints if one.body is not None)


def _keys(endpoint: Endpoint, body: type[Part]) -> str:
    names = [*filter(None, [endpoint.file]), *(field.alias or name for name, field in body.model_fields.items())]
    honoured = ", ".join(f"`{name}`" for name in names)
    lines = [f"**{endpoint.method} {endpoint.said_path}**", "", f"- honoured: {honoured}"]
    if body.harmless:
        lines.append("- harmless: " + "; ".join(f"`{key}` ({why})" for key, why in body.harmless.items()))
    if body.refused:
        lines.append("- refused: " + "; ".join(f"`{key}` ({one.why})" for key, one in body.refused.items()))
    return "\n".join(lines)


def numbers(endpoint: Endpoint) -> dict[str, Number]:
    """Returns the numbers that an endpoint takes, in its query and in its body."""
    return {**numbers_of(endpoint.query), **(numbers_of(endpoint.body) if endpoint.body is not None else {})}


def number_tables(endpoints: Iterable[Endpoint]) -> str:
    """Returns the numbers of every endpoint in Markdown, and those of the specs of jobs."""
    tables = []
    for one in endpoints:
        name = f"{one.method} {one.said_path}"
        if found := numbers(one):
            tables.append(f"**{name}**\n\n{_numbers(found.values(), name)}")
    for kind in workflows.jobs():
        rows = _numbers(numbers_of(workflows.verb(kind).Spec).values(), "", "spec.")
        tables.append(f"**POST /luthier/jobs** of the kind `{kind}`\n\n{rows}")
    absent = [f"- {name}, `{path}`: {why}" for (name, path), why in ABSENT.items()]
    return "\n\n".join([*tables, "Numbers of the hosted API that no field takes here:\n\n" + "\n".join(absent)])


def _numbers(found: Iterable[Number], name: str, before: str = "") -> str:
    rows = ["| number | type | range | default | differs from the hosted API |", "|---|---|---|---|---|"]
    for one in found:
        kind = " or ".join([*(f"`{word}`" for word in one.words), "integer" if one.whole else "number"])
        default = "" if one.default is None else f"`{one.default}`"
        differs = DIFFERS.get((name, one.path), "")
        rows.append(f"| `{before}{one.path}` | {kind} | {one.range or 'any'} | {default} | {differs} |")
    return "\n".join(rows)


def _block(name: str) -> str:
    return f"<!-- options:{name} -->\n{option_tables(name)}\n<!-- /options -->"


def _summary(name: str) -> str:
    return (command(name).__doc__ or "").strip().partition("\n")[0]


def _table(members: Iterable[Field]) -> str:
    rows = ["| option | default | what it does |", "|---|---|---|"]
    rows += [f"| {_name(field)} | {_default(field)} | {_cell(field.description)} |" for field in members]
    return "\n".join(rows)


def _name(field: Field) -> str:
    shown = field.name.upper() if field.positional else field.name
    return f"`{shown}` {_cell(field.kind)}"


def _default(field: Field) -> str:
    if field.required:
        return "required"
    if field.default is None or field.default == ():
        return ""
    value = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    """Writes the pages that are out of date; returns the exit code."""
    for page, renew in ((PAGE, renewed), (SERVER, renewed_server), (README, renewed_readme)):
        old = page.read_text(encoding="utf-8")
        new = renew(old)
        if new != old:
            page.write_text(new, encoding="utf-8")
        print(f"{page.name}: {'written' if new != old else 'up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
