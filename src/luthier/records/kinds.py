"""The kinds of rows there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from luthier.records.comparisons import Pair, Preference, Triplet, Vote
from luthier.records.examples import Completion, Conversation, Labelled, Record, Text

RECORDS: Mapping[str, type[Record]] = {
    record.kind: record for record in (Conversation, Completion, Text, Labelled, Preference, Vote, Pair, Triplet)
}
