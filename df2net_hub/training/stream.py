"""Rows read as they come, from shards on disk, on the hub or at any URL that fsspec knows.

Every pass goes through the row groups of all shards in another order. That row of rows is cut into
as many equal spans as there are readers (training processes times their workers), so readers share
no row and miss none, and differ by one row at most; within a span, rows are shuffled in windows.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from df2net_hub.training.rows import chosen_rows, decoded, require_columns

WINDOW = 8  # row groups held and shuffled at a time


@dataclass(frozen=True)
class RowGroup:
    """One row group of a shard and the numbers of its rows that count."""

    path: str
    number: int
    rows: tuple[int, ...]


class StreamedRows:
    """A set of pairs that is read in spans; see the module.

    Args:
        dataset: folder, id on the hub, or URL of a folder.
        columns: pictures to read and decode.
        kinds: sources of the rows that count.
        seed: of the shuffles.

    Raises:
        FileNotFoundError: no shards there.
        ValueError: a damaged shard, no such column, or no row of these kinds.
    """

    def __init__(
        self, dataset: str, columns: tuple[str, ...], kinds: tuple[str, ...], seed: int
    ) -> None:
        self.dataset, self.columns, self.seed = dataset, columns, seed
        self.files, folder = _file_system(dataset)
        paths = sorted(self.files.glob(f"{folder}/**/*.parquet"))
        if not paths:
            raise FileNotFoundError(f"{dataset} holds no .parquet shards")
        self.groups = [group for path in paths for group in self._groups(path, kinds)]
        if not self.groups:
            chosen_rows(dataset, [], kinds)
        self.length = sum(len(group.rows) for group in self.groups)

    def __len__(self) -> int:
        return self.length

    def _open(self, path: str) -> Any:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile

        try:
            return ParquetFile(self.files.open(path, "rb"))
        except (ArrowInvalid, OSError) as error:
            raise ValueError(f"{path} is damaged or no Parquet file ({error})") from error

    def _groups(self, path: str, kinds: tuple[str, ...]) -> Iterator[RowGroup]:
        shard = self._open(path)
        require_columns(path, shard.schema_arrow.names, self.columns)
        for number in range(shard.num_row_groups):
            sources = shard.read_row_group(number, ["source"])["source"].to_pylist()
            rows = np.flatnonzero(np.isin(np.asarray(sources, dtype=object), kinds))
            if len(rows):
                yield RowGroup(path, number, tuple(rows.tolist()))

    def span(self, reader: int, readers: int) -> range:
        """Places of a pass that a reader reads."""
        return range(reader * self.length // readers, (reader + 1) * self.length // readers)

    def read(
        self, reader: int, readers: int, first: int = 0
    ) -> Iterator[tuple[int, int, str, dict[str, np.ndarray]]]:
        """Pass, place, id and pictures of a reader's rows, endlessly, from its row `first` on."""
        span = self.span(reader, readers)
        if not span:
            raise ValueError(
                f"{self.dataset}: {self.length} rows are too few for {readers} readers"
            )
        turn, skip = divmod(first, len(span))
        while True:
            yield from self._pass(turn, span, skip)
            turn, skip = turn + 1, 0

    def _pass(
        self, turn: int, span: range, skip: int
    ) -> Iterator[tuple[int, int, str, dict[str, np.ndarray]]]:
        shuffled = np.random.default_rng([self.seed, turn]).permutation(len(self.groups))
        groups = [self.groups[index] for index in shuffled]
        ends = list(accumulate(len(group.rows) for group in groups))
        position = span.start
        while position < span.stop:
            opening = bisect_right(ends, position)
            closing = min(opening + WINDOW, len(groups))
            stop = min(ends[closing - 1], span.stop)
            places = np.random.default_rng([self.seed, turn, position]).permutation(
                np.arange(position, stop)
            )
            held: dict[int, list[dict[str, Any]]] = {}
            for place in places[skip:].tolist():
                index = bisect_right(ends, place)
                group = groups[index]
                if index not in held:
                    held[index] = self._read(group)
                row = held[index][group.rows[place - (ends[index] - len(group.rows))]]
                yield (turn, place, *decoded(row, self.columns, self.dataset))
            skip = max(skip - len(places), 0)
            position = stop

    def _read(self, group: RowGroup) -> list[dict[str, Any]]:
        from pyarrow import ArrowException

        try:
            table = self._open(group.path).read_row_group(group.number, [*self.columns, "id"])
        except (ArrowException, OSError) as error:
            raise ValueError(
                f"{group.path}, row group {group.number}, is damaged: {error}"
            ) from error
        return table.to_pylist()


def _file_system(dataset: str) -> tuple[Any, str]:
    """The fsspec file system of a set, and its folder there."""
    from fsspec.core import url_to_fs

    if "://" in dataset or Path(dataset).is_dir():
        return url_to_fs(dataset)
    from huggingface_hub import HfFileSystem

    return HfFileSystem(), f"datasets/{dataset}"
