"""The one schema of training pairs: Parquet shards that `datasets.load_dataset` reads as they are.

Depth is a 16-bit PNG: value 0 is "no face here", any other value v is a height toward the camera of
(v - 32768) / 128 px of a 512 crop, relative to the mean over the mask; nearer = larger. One step is
1/128 px, so a round trip is exact to 1/256 px. Photo and albedo are sRGB. Normals are an 8-bit RGB
PNG, (n + 1) / 2 * 255 of x right, y up, z toward the camera: exact to 1/255 a component.

The paper's three kinds of data (Sec. 3.2) share this schema and differ in what they know:
`morphable` rows know everything, `reconstructed` rows a depth, `fine` rows no depth.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from df2net_hub.geometry import DEPTH_UNIT_PX

DEPTH_ZERO = 32768
DEPTH_STEPS_PER_PX = 128
MAX_RELIEF_PX = 255.0  # what 16 bits hold on each side of the mean
SOURCES = ("morphable", "reconstructed", "fine")  # the paper's three kinds, Sec. 3.2
# Head turned [deg] (positive: the nose to the picture's right, up, and the picture turned
# counterclockwise), length of a pixel of a 512 crop, distance of the lens (null: weak perspective).
CAMERA = ("yaw", "pitch", "roll", "mm_per_px", "distance_mm")
# Of photos: how rich in detail, how sharp, how far the depth of the mirrored photo is off [px].
SCORES = ("detail", "sharpness", "flip_px")
ROWS_PER_GROUP = 50  # what a reader that streams holds in memory
PICTURES = ("image", "depth", "mask", "albedo", "normals")


def encode_depth(depth: np.ndarray) -> bytes:
    """Network depth (S,S) float, NaN off the face -> 16-bit PNG.

    Raises:
        ValueError: a height lies beyond the 256 px that the format can hold.
    """
    known = np.isfinite(depth)
    height_px = np.where(known, depth * DEPTH_UNIT_PX, 0)
    worst = max(float(height_px.max()), -float(height_px.min()))
    if worst > MAX_RELIEF_PX:
        raise ValueError(f"depth of {worst:.0f} px does not fit the format's range of +-255 px")
    value = np.rint(height_px * DEPTH_STEPS_PER_PX) + DEPTH_ZERO  # 128 or more
    return _png(value.astype(np.uint16) * known)


def decode_depth(png: bytes) -> np.ndarray:
    """16-bit PNG -> network depth (S,S) float32, NaN where there is none."""
    value = decode_picture(png)
    if value.dtype != np.uint16:
        raise ValueError(f"depth must be a 16-bit PNG, got {value.dtype} of shape {value.shape}")
    height_px = (value.astype(np.float32) - DEPTH_ZERO) / DEPTH_STEPS_PER_PX
    return np.where(value > 0, height_px / DEPTH_UNIT_PX, np.nan).astype(np.float32)


def encode_normals(normals: np.ndarray) -> bytes:
    """(S,S,3) unit normals, NaN or 0 off the face -> 8-bit RGB PNG; 0 off the face."""
    value = cv2.cvtColor(np.asarray(normals, np.float32), cv2.COLOR_RGB2BGR)
    known = cv2.transform(value * value, np.ones((1, 3), np.float32)) > 0  # false for NaN, too
    value = cv2.convertScaleAbs(value, alpha=127.5, beta=127.5)  # rounds to even like rint
    return _png(cv2.bitwise_and(value, value, mask=known.astype(np.uint8)), "PAETH")


def decode_normals(png: bytes) -> np.ndarray:
    """8-bit RGB PNG -> (S,S,3) float32 unit normals, NaN where there is none."""
    value = decode_picture(png)
    normals = value.astype(np.float32) / 127.5 - 1
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.where(value.any(-1, keepdims=True), normals, np.float32(np.nan))


def encode_photo(picture: np.ndarray) -> bytes:
    """(S,S,3) uint8 RGB -> JPEG of quality 95 without chroma subsampling."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        95,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1].tobytes()


def encode_mask(mask: np.ndarray) -> bytes:
    """(S,S) bool -> 8-bit PNG of 0 and 255."""
    return _png(mask.astype(np.uint8) * 255)


def _png(values: np.ndarray, filter: str = "UP") -> bytes:
    # Smooth maps leave runs of equal differences: this strategy is both smaller and faster on them.
    options = [
        cv2.IMWRITE_PNG_COMPRESSION,
        3,
        cv2.IMWRITE_PNG_STRATEGY,
        cv2.IMWRITE_PNG_STRATEGY_RLE,
    ]
    # One filter for all rows takes half the time of a choice by row, at the same size. OpenCV
    # before 4.12 leaves no choice.
    chosen = getattr(cv2, f"IMWRITE_PNG_FILTER_{filter}", None)
    if chosen is not None:
        options += [cv2.IMWRITE_PNG_FILTER, chosen]
    return cv2.imencode(".png", values, options)[1].tobytes()


def decode_picture(encoded: bytes) -> np.ndarray:
    """PNG or JPEG bytes -> (S,S) as stored, or (S,S,3) RGB.

    Raises:
        ValueError: the bytes are no picture.
    """
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f"{len(encoded)} bytes that are no readable picture; the shard is damaged")
    return picture[..., ::-1] if picture.ndim == 3 else picture


def features() -> Any:
    """The `datasets.Features` of a pair."""
    from datasets import Features, Image, List, Value

    return Features(
        {
            "id": Value("string"),
            "source": Value("string"),
            "identity": Value("string"),
            **{name: Image() for name in PICTURES},
            "light": List(List(Value("float32"))),  # 3 x 9; no fixed length: it may be null
            "landmarks": List(List(Value("float32"))),  # 68 x 2 [px]
            "camera": {name: Value("float32") for name in CAMERA},
            "traits": {"age": Value("float32"), "skin": Value("string"), "mood": Value("string")},
            "scores": {name: Value("float32") for name in SCORES},
        }
    )


def encode_row(
    *,
    id: str,
    source: str,
    image: np.ndarray,
    mask: np.ndarray,
    depth: np.ndarray | None = None,
    albedo: np.ndarray | None = None,
    normals: np.ndarray | None = None,
    light: np.ndarray | None = None,
    landmarks: np.ndarray | None = None,
    identity: str | None = None,
    camera: dict[str, float | None] | None = None,
    traits: dict[str, float | str | None] | None = None,
    scores: dict[str, float | None] | None = None,
) -> dict[str, Any]:
    """One row of the schema with its pictures encoded; None is "not known".

    Args:
        id: names the sample, unique in its set.
        source: one of SOURCES.
        image: (S,S,3) uint8 sRGB.
        mask: (S,S) bool, the visible face.
        depth: (S,S) network depth, mean over the mask at 0, NaN off the face.
        albedo: (S,S,3) uint8 sRGB.
        normals: (S,S,3) unit, x right, y up, z toward the camera, NaN off the face.
        light: (3,9) harmonics, see `shading`.
        landmarks: (68,2) x, y [px], hidden ones included.
        identity: names the person.
        camera: values for names in CAMERA.
        traits: age 0 to 1, skin, mood.
        scores: values for names in SCORES.

    Raises:
        ValueError: an unknown source or key, sizes that differ, or relief beyond the format.
    """
    if source not in SOURCES:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}, got {source!r}")
    pictures = {"image": image, "depth": depth, "mask": mask, "albedo": albedo, "normals": normals}
    size = image.shape[:2]
    for name, picture in pictures.items():
        if picture is not None and picture.shape[:2] != size:
            raise ValueError(f"{id}: {name} is {picture.shape[:2]}, the image is {size}")
    known: dict[str, tuple[str, ...]] = {
        "camera": CAMERA,
        "traits": ("age", "skin", "mood"),
        "scores": SCORES,
    }
    given: dict[str, dict[str, Any]] = {
        "camera": camera or {},
        "traits": traits or {},
        "scores": scores or {},
    }
    for name, values in given.items():
        for key in values:
            if key not in known[name]:
                raise ValueError(f"{id}: unknown {name} key {key!r}; known: {known[name]}")
    encoders = {"depth": encode_depth, "mask": encode_mask, "normals": encode_normals}
    return {
        "id": id,
        "source": source,
        "identity": identity,
        **{
            name: None if picture is None else encoders.get(name, encode_photo)(picture)
            for name, picture in pictures.items()
        },
        "light": None if light is None else np.asarray(light, np.float32).tolist(),
        "landmarks": None if landmarks is None else np.asarray(landmarks, np.float32).tolist(),
        **{name: {key: given[name].get(key) for key in known[name]} for name in known},
    }


def write_rows(rows: Iterable[dict[str, Any]], file: BinaryIO) -> int:
    """Write rows of `encode_row` as one Parquet file; returns how many. None at all is a file too.

    The bytes depend on the rows (and the version of pyarrow) alone. Row groups are short, so that
    readers that stream need little memory; pictures are compressed already.

    Raises:
        ValueError: a row with columns other than the schema's.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = features().arrow_schema  # with the note by which `datasets` knows the pictures
    plain = [name for name in schema.names if name not in PICTURES]
    rows, count = iter(rows), 0
    with ParquetWriter(file, schema, compression=_compression(schema), use_dictionary=plain) as out:
        while group := list(islice(rows, ROWS_PER_GROUP)):
            for row in group:
                if odd := set(row) ^ set(schema.names):
                    raise ValueError(f"{row.get('id')}: columns {sorted(odd)} are missing or odd")
                pictures = {name: row[name] and {"bytes": row[name]} for name in PICTURES}
                row.update(pictures)
            out.write_table(pa.Table.from_pylist(group, schema))
            count += len(group)
    return count


def _compression(schema: Any) -> dict[str, str]:
    return {name: "none" if name in PICTURES else "snappy" for name in schema.names}


def open_shard(path: Path) -> Any:
    """The `pyarrow.parquet.ParquetFile` of a shard.

    Raises:
        ValueError: the file is damaged or no Parquet file.
    """
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(path)
    except (ArrowInvalid, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise ValueError(
            f"{path} is damaged or no Parquet file ({error}). Delete it and run the command that "
            "made the set again: it makes the shards that are missing."
        ) from error


def open_pairs(folder_or_hub_id: str, *, streaming: bool = False) -> Any:
    """A `datasets.Dataset` of pairs whose pictures stay encoded bytes until they are asked for.

    Args:
        folder_or_hub_id: folder with shards, also in folders within it, or a dataset on the hub.
        streaming: give an `IterableDataset` instead, which reads as it goes and copies nothing.

    Raises:
        FileNotFoundError: a folder without Parquet shards.
        ValueError: a shard is damaged, or a column of the schema is missing.
    """
    from datasets import Image, load_dataset

    folder = Path(folder_or_hub_id)
    with _no_progress_bars():
        if folder.is_dir():
            files = sorted(folder.glob("**/*.parquet"))
            if not files:
                raise FileNotFoundError(
                    f"{folder} holds no .parquet shards; `df2net synthesize` makes them"
                )
            for path in files:
                open_shard(path)
            names = [str(path) for path in files]
            pairs = load_dataset("parquet", data_files=names, split="train", streaming=streaming)
        else:
            pairs = load_dataset(folder_or_hub_id, split="train", streaming=streaming)
    columns = pairs.column_names or []
    missing = [name for name in ("image", "depth", "mask") if name not in columns]
    if missing:
        raise ValueError(f"{folder_or_hub_id}: column {missing[0]!r} is missing; found {columns}")
    for name in PICTURES:
        if name in columns:
            pairs = pairs.cast_column(name, Image(decode=False))
    return pairs


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    were_on = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if were_on:
            enable_progress_bars()


def decode_pair(row: dict) -> dict[str, np.ndarray]:
    """Decode the pictures of one row of `open_pairs`: those that are stored."""
    decoders = {
        "image": decode_picture,
        "depth": decode_depth,
        "mask": lambda encoded: decode_picture(encoded) > 127,
        "albedo": decode_picture,
        "normals": decode_normals,
    }
    return {name: decode(row[name]["bytes"]) for name, decode in decoders.items() if row.get(name)}


def open_pictures(folder_or_hub_id: str, column: str) -> Any:
    """A `datasets.Dataset` of one column of pictures, which stay encoded: any set, not only pairs.

    Raises:
        ValueError: a damaged file, or no such column of pictures.
    """
    from datasets import Image, load_dataset

    folder = Path(folder_or_hub_id)
    with _no_progress_bars():
        if folder.is_dir():
            files = sorted(folder.glob("**/*.parquet"))
            for path in files:
                open_shard(path)
            names = [str(path) for path in files]
            rows = load_dataset("parquet", data_files=names, split="train")
        else:
            rows = load_dataset(folder_or_hub_id, split="train")
        if not isinstance((rows.features or {}).get(column), Image):
            pictures = [name for name, kind in rows.features.items() if isinstance(kind, Image)]
            raise ValueError(
                f"{folder_or_hub_id}: no column of pictures is named {column!r}; "
                f"there are {', '.join(pictures) or 'none'}"
            )
        return rows.select_columns([column]).cast_column(column, Image(decode=False))
