"""Labels: names and values that rows and jobs are found by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from luthier.store.tables import LABELS

Labels = Mapping[str, str]


def attach(connection: sa.Connection, owner: str, labels: Labels) -> None:
    """Gives `owner` these labels instead of those it had."""
    detach(connection, [owner])
    if labels:
        rows = [{"owner": owner, "name": name, "value": value} for name, value in labels.items()]
        connection.execute(sa.insert(LABELS), rows)


def detach(connection: sa.Connection, owners: Collection[str]) -> None:
    """Takes every label of `owners` away."""
    connection.execute(sa.delete(LABELS).where(LABELS.c.owner.in_(owners)))


def labelled(owner: sa.Column[Any], labels: Labels) -> Sequence[sa.ColumnElement[bool]]:
    """Returns the conditions under which the row whose id is in the column `owner` has all of `labels`."""
    mine = sa.select(LABELS.c.owner).where(LABELS.c.owner == owner)
    return [mine.where(LABELS.c.name == name, LABELS.c.value == value).exists() for name, value in labels.items()]


def labels_of(name: str, values: Collection[str]) -> sa.Select[tuple[Any]]:
    """Returns the query of the owners whose label `name` has one of `values`."""
    return sa.select(LABELS.c.owner).where(LABELS.c.name == name, LABELS.c.value.in_(values))
