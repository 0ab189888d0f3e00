"""Where rows come from: sets on disk or on the hub, or a renderer that never repeats itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from df2net_hub.pairs import decode_pair, open_pairs

RENDER = "render:"


class Rows(Protocol):
    """Decoded pairs by number."""

    def __len__(self) -> int: ...

    def pair(self, turn: int, row: int) -> tuple[str, dict[str, np.ndarray]]:
        """Id and pictures of a row, as it is in the given pass over the set."""


class StoredRows:
    """A set of pairs that `open_pairs` opens.

    Args:
        dataset: folder or id on the hub.
        columns: pictures to decode, which takes a third of the time of loading.
        kinds: sources of the rows that count.

    Raises:
        ValueError: the set lacks a column, or holds no row of these kinds.
    """

    def __init__(self, dataset: str, columns: tuple[str, ...], kinds: tuple[str, ...]) -> None:
        rows = open_pairs(dataset)
        self.dataset, self.columns = dataset, columns
        require_columns(dataset, rows.column_names, columns)
        self.rows = rows.select_columns([*columns, "id"])
        self.chosen = chosen_rows(dataset, rows["source"][:], kinds)

    def __len__(self) -> int:
        return len(self.chosen)

    def pair(self, turn: int, row: int) -> tuple[str, dict[str, np.ndarray]]:
        """The stored pair, the same in every pass."""
        return decoded(self.rows[int(self.chosen[row])], self.columns, self.dataset)


@dataclass(frozen=True)
class RenderedRows:
    """Pairs rendered when they are asked for, others in every pass.

    Attributes:
        assets: folder as of `df2net synthesize --assets`; empty for the procedural head.
        count: how many are called a pass.
    """

    assets: str
    count: int
    seed: int
    size: int
    columns: tuple[str, ...]

    def __len__(self) -> int:
        return self.count

    @cached_property
    def make(self) -> Callable[[int], Any]:
        """The renderer, loaded once in each process."""
        from df2net_hub.synthesis.make_pairs import RenderedPairs

        return RenderedPairs(self.assets or None, self.seed, self.size).open()

    def pair(self, turn: int, row: int) -> tuple[str, dict[str, np.ndarray]]:
        """The pair of this number of an endless set."""
        return decoded(self.make(turn * self.count + row), self.columns, RENDER + self.assets)


def open_rows(
    dataset: str,
    columns: tuple[str, ...],
    kinds: tuple[str, ...],
    rendered: int,
    size: int,
    seed: int,
) -> Rows:
    """The rows that one entry of `StageConfig.dataset` names."""
    if dataset.startswith(RENDER):
        return RenderedRows(dataset.removeprefix(RENDER), rendered, seed, max(size, 32), columns)
    return StoredRows(dataset, columns, kinds)


def require_columns(dataset: str, present: list[str], columns: tuple[str, ...]) -> None:
    """Raise ValueError if a set lacks a column."""
    missing = [name for name in (*columns, "id", "source") if name not in present]
    if missing:
        raise ValueError(f"{dataset}: no column {missing[0]!r}; it has {', '.join(present)}")


def chosen_rows(dataset: str, sources: list[str], kinds: tuple[str, ...]) -> np.ndarray:
    """Numbers of the rows of these kinds.

    Raises:
        ValueError: there are none.
    """
    chosen = np.flatnonzero(np.isin(np.asarray(sources, dtype=object), kinds))
    if not len(chosen):
        held = ", ".join(sorted(set(sources))) or "none"
        raise ValueError(
            f"{dataset} has no rows of kind {' or '.join(kinds)}, which the preset trains this "
            f"stage on; it has {held}. To train on those: --kinds {held.replace(', ', ' ')}"
        )
    return chosen


def decoded(
    row: dict[str, Any], columns: tuple[str, ...], dataset: str
) -> tuple[str, dict[str, np.ndarray]]:
    """Id and pictures of an encoded row.

    Raises:
        ValueError: a picture is missing or damaged; names set, row and column.
    """
    encoded = {}
    for name in columns:
        value = row[name]
        if value is None:
            raise ValueError(
                f"{dataset}: row {row['id']} has no {name}, which this stage's losses need; leave "
                "out its kind with --kinds, or change --losses or --target"
            )
        encoded[name] = value if isinstance(value, dict) else {"bytes": value}
    try:
        return row["id"], decode_pair(encoded)
    except ValueError as error:
        raise ValueError(f"{dataset}: row {row['id']}: {error}") from error
