"""What a set of training pairs consists of: its manifest, and how its files are called.

A folder may hold several sets. Set NAME is `NAME.json`, the manifest, and the shards
`NAME-00000.parquet`, `NAME-00001.parquet` and so on, each of a fixed range of inputs; where inputs
of a shard gave no pair, `NAME-00000.rejected.jsonl` says which and why.
"""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

NAME_RULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]*(-[A-Za-z0-9._]+)*")
SHARD_FILE = re.compile(r"(?P<name>.+)-(?P<number>\d{5})\.parquet")
MAX_SHARDS = 100_000  # what five digits can count
# Keys of a recipe that tell of a set without changing its pairs; two runs may differ in them.
DESCRIPTIVE = ("command", "license", "licenses")


@dataclass(frozen=True)
class Manifest:
    """`count` inputs in shards of `rows_per_shard`, made by `recipe` with these `versions`."""

    name: str
    recipe: dict[str, Any]
    count: int
    rows_per_shard: int
    versions: tuple[str, ...]  # of this package, all that worked on the set

    @property
    def num_shards(self) -> int:
        return -(-self.count // self.rows_per_shard)

    def inputs(self, shard: int) -> range:
        """The inputs of shard `shard`."""
        start = shard * self.rows_per_shard
        return range(start, min(start + self.rows_per_shard, self.count))

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read one manifest.

        Raises:
            ValueError: the file is no manifest.
        """
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**facts, "versions": tuple(facts["versions"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"{path} is no manifest of a set of pairs ({error}). Restore it, or move it and its"
                " shards away."
            ) from error

    def write(self, folder: Path, tag: str) -> None:
        """Write `folder`/NAME.json, whole or not at all; see `replace_file`."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"
        replace_file(folder / f"{self.name}.json", text.encode(), tag)


def replace_file(path: Path, content: bytes, tag: str) -> None:
    """Write a file, whole or not at all; `tag` tells writers of the same file apart.

    Raises:
        OSError: it cannot be written; says which, as a full disk alone does not.
    """
    temporary = path.with_name(f".{path.name}.{tag}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, f"{path} cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def weights_mark(place: str | None) -> str:
    """Names weights in a recipe: "bundled", an id of the Hub, or a folder's name and its content.

    Paths are no recipe, and a folder of the same name may hold other weights.
    """
    if place is None:
        return "bundled"
    folder = Path(place)
    if not folder.is_dir():
        return place
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        content.update(path.read_bytes())
    return f"{folder.resolve().name} sha256:{content.hexdigest()[:16]}"


def shard_file(folder: Path, name: str, shard: int) -> Path:
    """Path of shard `shard` of set `name`."""
    return folder / f"{name}-{shard:05d}.parquet"


def rejected_file(folder: Path, name: str, shard: int) -> Path:
    """Path of the list of inputs of that shard that gave no pair."""
    return folder / f"{name}-{shard:05d}.rejected.jsonl"


def read_rejected(path: Path) -> list[str]:
    """The reasons in a list of rejected inputs; none where there is no such file.

    Raises:
        ValueError: the file is damaged.
    """
    if not path.is_file():
        return []
    try:
        return [json.loads(line)["reason"] for line in path.read_text("utf-8").splitlines()]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); delete it and the shard beside it, and make them again"
        ) from error


def check_name(name: str) -> None:
    """Raise ValueError if `name` cannot name files."""
    if not NAME_RULE.fullmatch(name):
        raise ValueError(
            f"a set's name is letters, digits, dots and underscores, joined by dashes; got {name!r}"
        )


def join_manifest(
    folder: Path, name: str, recipe: dict[str, Any], count: int, rows_per_shard: int, tag: str
) -> Manifest:
    """Begin a set, or go on with the one that is there, which must be of the same recipe.

    Raises:
        ValueError: a bad number, or the set in the folder is another one.
    """
    if count < 1 or rows_per_shard < 1 or count > MAX_SHARDS * rows_per_shard:
        raise ValueError(
            f"a set has 1 to {MAX_SHARDS} shards of 1 row or more, "
            f"got {count} inputs in shards of {rows_per_shard}"
        )
    recipe = json.loads(json.dumps(recipe))  # as it will be read back: no tuples
    versions: tuple[str, ...] = ()
    path = folder / f"{name}.json"
    if path.is_file():
        there = Manifest.read(path)
        _refuse_other(there, recipe, count, rows_per_shard, path)
        versions = there.versions
    here = version("df2net_hub")
    versions += () if here in versions else (here,)
    manifest = Manifest(name, recipe, count, rows_per_shard, versions)
    manifest.write(folder, tag)
    return manifest


def _refuse_other(
    there: Manifest, recipe: dict[str, Any], count: int, rows_per_shard: int, path: Path
) -> None:
    old = _flat({**there.recipe, "rows_per_shard": there.rows_per_shard})
    new = _flat({**recipe, "rows_per_shard": rows_per_shard})
    for key in {**old, **new}:
        if key not in DESCRIPTIVE and old.get(key, "not set") != new.get(key, "not set"):
            raise ValueError(
                f"{path} is of another set: its {key} is {old.get(key, 'not set')!r}, this run's "
                f"is {new.get(key, 'not set')!r}. Use another folder, or the same settings."
            )
    if count < there.count:
        raise ValueError(
            f"{path} has {there.count} inputs, this run asks for {count}: a set can grow but not "
            "shrink. Use another folder, or a count as large as that."
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat
