"""Data sets of the Hugging Face hub, fetched once into its cache and read from there."""

from __future__ import annotations

import re
from pathlib import Path

from luthier.records.file_types import type_by_name

SPLITS = ("train", "training", "validation", "valid", "val", "dev", "test", "testing", "eval", "evaluation")
_PATTERNS = [
    f"*{suffix}{packed}"
    for suffix in (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt")
    for packed in ("", ".gz")
]
_PREFERRED = ("parquet", "json", "csv", "tsv", "text")
_ABOUT = re.compile(r"(dataset_infos?|config|metadata|state|package)\.json|(readme|license|notice)\S*", re.IGNORECASE)


class HubProblem(Exception):
    """A data set that cannot be fetched or chosen from: the problem, the remedy."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(problem, remedy)


def fetch(name: str, revision: str | None, split: str | None) -> tuple[Path, list[Path], list[Path]]:
    """Returns the local folder of a data set, the files of its `split`, and the data files left out.

    Without a `split` the training split is taken where the files are named by split, else every file. `split` may
    name a subset too, as in main/train. Raises `HubProblem`.
    """
    folder = _download(name, revision)
    data = [path for path in sorted(folder.rglob("*")) if path.is_file() and type_by_name(path)]
    data = [path for path in data if not _ABOUT.fullmatch(path.name)]
    kind = next((one for one in _PREFERRED if any(type_by_name(path) == one for path in data)), None)
    same = [path for path in data if type_by_name(path) == kind]
    if not same:
        raise HubProblem(f"the data set {name} has no data files that can be read", "convert it to Parquet or JSON")
    chosen = _choose(folder, same, split)
    if not chosen:
        known = sorted({word for path in same for word in _words(folder, path)})
        raise HubProblem(f"the data set {name} has no files for {split!r}", f"its parts are {', '.join(known)}")
    subsets = sorted({str(path.parent.relative_to(folder)) for path in chosen})
    if len(subsets) > 1:
        listed = ", ".join(f"{name}/{subset}" for subset in subsets)
        raise HubProblem(f"the data set {name} has several subsets", f"name one: {listed}")
    return folder, chosen, [path for path in data if path not in set(chosen)]


def _download(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    by_hand = (
        f"fetch it where there is a network: hf download {name} --repo-type dataset --local-dir DIR, then give DIR"
    )
    try:
        return Path(snapshot_download(name, repo_type="dataset", revision=revision, allow_patterns=_PATTERNS))
    except GatedRepoError:
        remedy = "accept its terms on its page, then log in with hf auth login"
        raise HubProblem(f"the hub does not give the data set {name} to you", remedy) from None
    except RevisionNotFoundError:
        raise HubProblem(f"the data set {name} has no revision {revision!r}", "check the name after @") from None
    except RepositoryNotFoundError:
        raise HubProblem(f"the hub has no data set {name!r}", "check the name, or log in if it is private") from None
    except Exception as error:  # the hub's client raises its own, httpx's and the operating system's errors
        reason = (" ".join(str(error).split()) or type(error).__name__)[:160]
        raise HubProblem(f"the hub cannot be reached for the data set {name} ({reason})", by_hand) from None


def _choose(folder: Path, files: list[Path], split: str | None) -> list[Path]:
    wanted = re.split(r"/", split.strip("/")) if split else []
    chosen = [path for path in files if all(word in _words(folder, path) for word in wanted)]
    if any(word in SPLITS for word in wanted) or not any(set(SPLITS) & _words(folder, path) for path in chosen):
        return chosen
    return [path for path in chosen if {"train", "training"} & _words(folder, path)] or chosen


def _words(folder: Path, path: Path) -> set[str]:
    """Returns the words by which a file may be asked for: its folders, its stem, and the parts of its stem."""
    inside = path.relative_to(folder)
    stem = inside.name.split(".", 1)[0]
    shard = re.sub(r"-\d{4,}(-of-\d+)?$", "", stem)
    return {
        *inside.parts[:-1],
        stem,
        shard,
        *(part for part in re.split(r"[-_]", shard) if part and not part.isdigit()),
    }
