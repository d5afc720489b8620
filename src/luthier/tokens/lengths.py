"""What is done with sequences longer than the longest allowed: cut, dropped, or refused; always counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from luthier.errors import SpecError
from luthier.tokens.options import TokenOptions
from luthier.tokens.spans import Piece
from luthier.tokens.token_rows import TokenCounts, TokenWriter, length_histogram

TOLERATED_LOSS = 0.05
"""The share of labelled tokens that may be dropped without being asked for."""


def longest_allowed(options: TokenOptions, context_length: int) -> int:
    """Returns the longest sequence in tokens; `SpecError` when `max_length` exceeds what the model can take."""
    if options.max_length is not None and options.max_length > context_length:
        raise SpecError(
            f"{options.max_length} is more than the {context_length} tokens this model can take",
            where="max_length",
            remedy=f"give {context_length} or less",
            param="max_length",
        )
    return options.max_length or context_length


def windows(piece: Piece, limit: int) -> Iterator[Piece]:
    """Yields a long text in windows of at most `limit` tokens, each label in exactly one of them.

    A window begins with the last token of the one before, which is there only to predict the next.
    """
    for start in range(0, max(len(piece.tokens) - 1, 1), limit - 1):
        tokens = piece.tokens[start : start + limit]
        labels = piece.labels[start : start + limit].copy()
        labels[0] = False
        yield Piece(tokens, labels)


class LengthPolicy:
    """Writes sequences no longer than `limit`, and counts what is written, cut and dropped."""

    def __init__(
        self, options: TokenOptions, limit: int, writer: TokenWriter, *, keep_first: int | None, context_length: int
    ) -> None:
        self._options, self._limit, self._writer = options, limit, writer
        self._keep_first, self._context_length = keep_first, context_length
        self._counts: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._kept: Counter[int] = Counter()
        self._labels_by_length: Counter[int] = Counter()

    def add_row(self, row: int, pieces: list[Piece], notes: tuple[str, ...]) -> None:
        """Writes the sequences of one row as far as they may be that long."""
        happened: set[str] = {"split_rows"} if len(pieces) > 1 else set()
        for piece in pieces:
            labelled = int(np.count_nonzero(piece.labels))
            self._labels_by_length[len(piece.tokens)] += labelled
            kept = piece if len(piece.tokens) <= self._limit else self._cut(piece)
            left = int(np.count_nonzero(kept.labels)) if kept else 0
            if kept is None or not left:
                happened.add("dropped_rows")
                self._counts["dropped_labels"] += labelled
                continue
            if kept is not piece:
                happened.add("truncated_rows")
                self._counts["cut_tokens"] += len(piece.tokens) - len(kept.tokens)
                self._counts["cut_labels"] += labelled - left
            self._kept[len(kept.tokens)] += 1
            self._counts["labelled"] += left
            self._writer.add(kept.tokens, kept.labels, row)
        self._counts.update(["rows", *happened])
        self._notes.update(notes)

    def finish(self) -> TokenCounts:
        """Returns the counts; `SpecError` when too much would be lost without having been asked for."""
        self._refuse_losses()
        count = self._counts
        return TokenCounts(
            rows=count["rows"],
            sequences=self._kept.total(),
            tokens=sum(length * times for length, times in self._kept.items()),
            labelled=count["labelled"],
            longest=max(self._kept, default=0),
            truncated_rows=count["truncated_rows"],
            cut_tokens=count["cut_tokens"],
            cut_labels=count["cut_labels"],
            dropped_rows=count["dropped_rows"],
            dropped_labels=count["dropped_labels"],
            split_rows=count["split_rows"],
            lengths=length_histogram(self._kept),
            notes=tuple(sorted(self._notes.items())),
        )

    def _cut(self, piece: Piece) -> Piece | None:
        if self._options.truncate == "end":
            return Piece(piece.tokens[: self._limit], piece.labels[: self._limit])
        if self._options.truncate == "start":
            # A model that always sees its begin-of-text token first keeps it.
            first = int(piece.tokens[0] == self._keep_first)
            start = len(piece.tokens) - self._limit + first
            tokens = np.concatenate([piece.tokens[:first], piece.tokens[start:]])
            labels = np.concatenate([piece.labels[:first], piece.labels[start:]])
            labels[0] = False
            return Piece(tokens, labels)
        return None

    def _refuse_losses(self) -> None:
        count = self._counts
        lost, total = count["dropped_labels"], self._labels_by_length.total()
        asked = self._options.truncate or self._options.drop_long
        if not lost or (asked and self._kept) or (self._kept and lost <= TOLERATED_LOSS * total):
            return
        if self._options.truncate and not self._kept:
            other = "start" if self._options.truncate == "end" else "end"
            raise SpecError(
                f"cut at the {self._options.truncate} to {self._limit} tokens, none of {count['rows']} rows keeps a "
                "labelled token",
                where="truncate",
                remedy=f"cut at the other side, --truncate {other}, or take a model with a longer context",
                param="truncate",
            )
        raise SpecError(
            f"{count['dropped_rows']} of {count['rows']} rows are longer than {self._limit} tokens; dropping them "
            f"would lose {lost:,} of {total:,} labelled tokens ({100 * lost / total:.0f} %)",
            where="max_length",
            remedy=f"{self._longer(total)} cut them with --truncate end or start, or accept it with --drop-long",
            param="max_length",
        )

    def _longer(self, total: int) -> str:
        """Returns the advice about `max_length`: one that keeps the labels, or that the model takes no more."""
        longest = max(length for length, labels in self._labels_by_length.items() if labels)
        fits = self._length_that_fits(total)
        if self._limit >= self._context_length:
            return f"the model takes no more (the longest row has {longest:,} tokens);"
        if longest <= self._context_length:
            return f"--max-length {fits} keeps 95 % of them" + (f", {longest} all;" if longest > fits else ";")
        most = min(fits, self._context_length)
        return f"--max-length {most} keeps {'95 % of them' if most == fits else 'more, and the model takes no more'};"

    def _length_that_fits(self, total: int) -> int:
        kept = 0
        for length in sorted(self._labels_by_length):
            kept += self._labels_by_length[length]
            if kept >= (1 - TOLERATED_LOSS) * total:
                return length
        return max(self._labels_by_length, default=0)
