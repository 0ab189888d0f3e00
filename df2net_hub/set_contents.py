"""What lies in a folder of sets, counted from its files: pairs, what they know, rejections."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from df2net_hub.contact_sheet import pick_rows
from df2net_hub.pairs import decode_picture, open_shard
from df2net_hub.set_manifest import SHARD_FILE, Manifest, read_rejected, rejected_file

KNOWN = ("depth", "albedo", "normals")  # what a pair may lack


@dataclass(frozen=True)
class SetContents:
    """The shards of one name in a folder, and what was counted in them."""

    name: str
    shards: list[Path]
    manifest: Manifest | None
    sources: dict[str, int]
    known: dict[str, int]  # of KNOWN, in how many rows
    rejected: dict[str, int]  # reason -> inputs
    side_px: int | None

    @property
    def num_pairs(self) -> int:
        return sum(self.sources.values())


def read_sets(folder: Path) -> list[SetContents]:
    """The sets in a folder, by name.

    Raises:
        FileNotFoundError: there are no shards.
        ValueError: a shard, manifest or list of reasons is damaged.
    """
    names: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.parquet")):
        match = SHARD_FILE.fullmatch(path.name)
        names.setdefault(match["name"] if match else path.stem, []).append(path)
    if not names:
        raise FileNotFoundError(
            f"{folder} holds no .parquet shards; `df2net synthesize` makes them"
        )
    return [_read_set(folder, name, shards) for name, shards in names.items()]


def _read_set(folder: Path, name: str, shards: list[Path]) -> SetContents:
    sources: Counter[str] = Counter()
    known: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for path in shards:
        file = open_shard(path)
        if "source" not in file.schema_arrow.names:
            raise ValueError(
                f"{path} has no column 'source' and is no shard of pairs; move it elsewhere"
            )
        for number in range(file.num_row_groups):
            sources.update(file.read_row_group(number, ["source"])["source"].to_pylist())
            group = file.metadata.row_group(number)
            for column in map(group.column, range(group.num_columns)):
                picture, _, part = column.path_in_schema.partition(".")
                if part == "bytes" and picture in KNOWN:
                    known[picture] += group.num_rows - column.statistics.null_count
        match = SHARD_FILE.fullmatch(path.name)
        if match:
            rejected.update(read_rejected(rejected_file(folder, name, int(match["number"]))))
    manifest = folder / f"{name}.json"
    first = pick_rows(shards, 1)
    return SetContents(
        name=name,
        shards=shards,
        manifest=Manifest.read(manifest) if manifest.is_file() else None,
        sources=dict(sources.most_common()),
        known=dict(known),
        rejected=dict(rejected.most_common()),
        side_px=decode_picture(first[0]["image"]["bytes"]).shape[0] if first else None,
    )
