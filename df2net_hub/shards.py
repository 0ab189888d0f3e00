"""Writes a set of training pairs: in parallel, killable at any moment, the same bytes every time.

A shard is a fixed range of inputs and appears whole or not at all, so a run that was stopped goes
on with the shards that are missing. What lies in a shard depends on the maker and its inputs alone:
not on workers, kills, or which machine made which part.
"""

import errno
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from df2net_hub.pairs import PICTURES, open_shard, write_rows
from df2net_hub.row_workers import Made, Maker, Row, make_rows
from df2net_hub.set_manifest import (
    Manifest,
    check_name,
    join_manifest,
    read_rejected,
    rejected_file,
    replace_file,
    shard_file,
)

__all__ = ["Maker", "Row", "SetReport", "rows_per_shard", "write_set"]

SHARD_BYTES = 256e6
BYTES_PER_PX = 2.0  # of a row with all five pictures; 1.7 was measured on rendered pairs of 512 px
MAX_ROWS = 1000  # of small pictures too: a kill loses the shard that is being made
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class SetReport:
    """What is on disk of a set, or of one part of it: `made` inputs gave `kept` pairs."""

    made: int
    kept: int
    rejected: dict[str, int] = field(default_factory=dict)  # reason -> inputs


def rows_per_shard(size: int) -> int:
    """How many pairs of `size` x `size` pictures make about 256 MB; never more than 1000."""
    return max(1, min(MAX_ROWS, round(SHARD_BYTES / (BYTES_PER_PX * size * size))))


def write_set(
    folder: str | Path,
    name: str,
    maker: Maker,
    count: int,
    recipe: dict[str, Any],
    *,
    rows_per_shard: int,
    workers: int = 1,
    part: tuple[int, int] = (0, 1),
    on_done: Callable[[int], None] = lambda inputs: None,
) -> SetReport:
    """Make the shards of inputs 0 to `count` - 1 that are not in `folder` yet.

    Args:
        folder: where the set lies; made if missing.
        name: names the set in its folder.
        maker: makes the rows; see `row_workers`.
        count: inputs of the whole set. It may grow later: only what is new is made.
        recipe: JSON values that define the set; a folder with `name` of another recipe is refused.
        rows_per_shard: inputs of a shard.
        workers: processes. Scripts that ask for more than one need the usual
            `if __name__ == "__main__"`.
        part: (i, n) makes every n-th shard, beginning with shard i: n machines can share the work.
        on_done: called once with the number of inputs found done, then with 1 for each made.

    Raises:
        ValueError: the set there is another one, or a file of it is damaged.
        BlockingIOError: another run works on this part of the set.
        ChildProcessError: a worker was killed.
        OSError: the disk is full.
        Exception: what the maker raised.
    """
    folder = Path(folder)
    if not 0 <= part[0] < part[1] or workers < 1:
        raise ValueError(f"needs 1 worker or more and 0 <= i < n, got {workers} and part {part}")
    check_name(name)
    folder.mkdir(parents=True, exist_ok=True)
    tag = f"{part[0] + 1}of{part[1]}"
    with _sole_run(folder, name, tag):
        manifest = join_manifest(folder, name, recipe, count, rows_per_shard, tag)
        _remove_leftovers(folder, name, tag)
        shards = [
            _Shard(folder, name, number, manifest.inputs(number), tag)
            for number in range(part[0], manifest.num_shards, part[1])
        ]
        todo = [shard for shard in shards if not shard.is_done()]
        on_done(sum(len(shard.inputs) for shard in shards if shard not in todo))
        inputs = [index for shard in todo for index in shard.inputs]
        with closing(make_rows(maker, inputs, workers)) as made:
            for shard in todo:
                shard.write(made, on_done)
    return report(folder, manifest, part)


def missing_shards(folder: Path, manifest: Manifest) -> list[int]:
    """Numbers of the shards that are not there, or not of all their inputs."""
    return [
        number
        for number in range(manifest.num_shards)
        if not _Shard(folder, manifest.name, number, manifest.inputs(number), "").is_done()
    ]


def report(folder: Path, manifest: Manifest, part: tuple[int, int] = (0, 1)) -> SetReport:
    """What of a set, or of one part of it, is on disk."""
    made = kept = 0
    reasons: Counter[str] = Counter()
    for number in range(part[0], manifest.num_shards, part[1]):
        shard = _Shard(folder, manifest.name, number, manifest.inputs(number), "")
        if shard.path.is_file():
            rejected = read_rejected(shard.rejected)
            reasons.update(rejected)
            kept += shard.num_rows()
            made += shard.num_rows() + len(rejected)
    return SetReport(made, kept, dict(reasons.most_common()))


@dataclass(frozen=True)
class _Shard:
    folder: Path
    name: str
    number: int
    inputs: range
    tag: str  # of the part that makes it

    @property
    def path(self) -> Path:
        return shard_file(self.folder, self.name, self.number)

    @property
    def rejected(self) -> Path:
        return rejected_file(self.folder, self.name, self.number)

    def num_rows(self) -> int:
        return open_shard(self.path).metadata.num_rows

    def is_done(self) -> bool:
        """Whether each input has a row or a reason; the last shard of a set that grew has not."""
        if not self.path.is_file():
            return False
        return self.num_rows() + len(read_rejected(self.rejected)) == len(self.inputs)

    def write(self, made: Iterator[Made], on_done: Callable[[int], None]) -> None:
        """Take what was made of this shard's inputs and write it, whole or not at all."""
        lines: list[str] = []
        seen = {"rows": 0, "bytes": 0}

        def rows() -> Iterator[Row]:
            for index, row in zip(self.inputs, islice(made, len(self.inputs)), strict=True):
                if isinstance(row, str):
                    lines.append(json.dumps({"index": index, "reason": row}, ensure_ascii=False))
                else:
                    seen["rows"] += 1
                    seen["bytes"] += sum(len(row[name] or b"") for name in PICTURES)
                    yield row
                on_done(1)

        try:
            self._replace(rows(), lines)
        except OSError as error:
            if error.errno in NO_SPACE:
                raise self._no_space(error, seen["bytes"], seen["rows"]) from error
            raise

    def _replace(self, rows: Iterator[Row], lines: list[str]) -> None:
        temporary = self.path.with_name(f".{self.path.name}.{self.tag}.tmp")
        try:
            with open(temporary, "wb") as file:
                write_rows(rows, file)  # fills `lines`, too
                file.flush()
                os.fsync(file.fileno())
            # The reasons first: a shard that stood there without them would look unfinished.
            if lines:
                replace_file(self.rejected, "\n".join([*lines, ""]).encode(), self.tag)
            else:
                self.rejected.unlink(missing_ok=True)
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def _no_space(self, error: OSError, num_bytes: int, num_rows: int) -> OSError:
        needed = num_bytes / max(num_rows, 1) * len(self.inputs)
        free = shutil.disk_usage(self.folder).free
        return OSError(
            error.errno,
            f"no space for {self.path.name}: {error.strerror}. It needs about {needed / 1e6:.1f} "
            f"MB, {free / 1e6:.1f} MB are free in {self.folder}. Finished shards are kept; make "
            "room, then the same command goes on",
        )


@contextmanager
def _sole_run(folder: Path, name: str, tag: str) -> Iterator[None]:
    """Hold the lock of one part of a set; the system lets go of it when the process ends."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / f".{name}.{tag}.lock", blocking=False):
            yield
    except Timeout:
        raise BlockingIOError(
            f"another run is writing set {name!r} in {folder} (part {tag}). Wait for it or stop it;"
            " several runs share a set with --shard 1/N to N/N."
        ) from None


def _remove_leftovers(folder: Path, name: str, tag: str) -> None:
    """Delete temporary files of killed runs; those of other parts only if nobody works on them."""
    of_shards, of_manifest = f".{name}-{'[0-9]' * 5}.*.tmp", f".{name}.json.*.tmp"
    for path in [*folder.glob(of_shards), *folder.glob(of_manifest)]:
        owner = path.name.rsplit(".", 2)[1]
        if owner == tag:
            path.unlink(missing_ok=True)
            continue
        try:
            with _sole_run(folder, name, owner):
                path.unlink(missing_ok=True)
        except BlockingIOError:
            continue
