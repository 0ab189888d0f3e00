"""The one schema of training pairs: Parquet shards that `datasets.load_dataset` reads as they are.

Depth is a 16-bit PNG: value 0 is "no face here", any other value v is a height toward the camera of
(v - 32768) / 128 px of a 512 crop, relative to the mean over the mask; nearer = larger. One step is
1/128 px, so a round trip is exact to 1/256 px. Photo and albedo are sRGB.
"""

import io
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from df2net_hub.geometry import DEPTH_UNIT_PX

DEPTH_ZERO = 32768
DEPTH_STEPS_PER_PX = 128
MAX_RELIEF_PX = 255.0  # what 16 bits hold on each side of the mean


def encode_depth(depth: np.ndarray) -> bytes:
    """Network depth (S,S) float, NaN off the face -> 16-bit PNG.

    Raises:
        ValueError: a height lies beyond the 256 px that the format can hold.
    """
    height_px = depth * DEPTH_UNIT_PX
    worst = float(np.nanmax(np.abs(height_px), initial=0))
    if worst > MAX_RELIEF_PX:
        raise ValueError(f"depth of {worst:.0f} px does not fit the format's range of +-255 px")
    value = np.rint(np.nan_to_num(height_px) * DEPTH_STEPS_PER_PX) + DEPTH_ZERO
    return _png(np.where(np.isfinite(depth), np.maximum(value, 1), 0).astype(np.uint16))


def decode_depth(png: bytes) -> np.ndarray:
    """16-bit PNG -> network depth (S,S) float32, NaN where there is none."""
    value = decode_picture(png)
    if value.dtype != np.uint16:
        raise ValueError(f"depth must be a 16-bit PNG, got {value.dtype} of shape {value.shape}")
    height_px = (value.astype(np.float32) - DEPTH_ZERO) / DEPTH_STEPS_PER_PX
    return np.where(value > 0, height_px / DEPTH_UNIT_PX, np.nan).astype(np.float32)


def encode_photo(picture: np.ndarray) -> bytes:
    """(S,S,3) uint8 RGB -> JPEG of quality 95 without chroma subsampling."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        95,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    return cv2.imencode(".jpg", picture[..., ::-1], options)[1].tobytes()


def encode_mask(mask: np.ndarray) -> bytes:
    """(S,S) bool -> 8-bit PNG of 0 and 255."""
    return _png(mask.astype(np.uint8) * 255)


def _png(values: np.ndarray) -> bytes:
    return cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()


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
            "image": Image(),
            "depth": Image(),
            "mask": Image(),
            "albedo": Image(),
            "light": List(List(Value("float32"), length=9), length=3),
            "landmarks": List(List(Value("float32"), length=2), length=68),
            "yaw": Value("float32"),
            "pitch": Value("float32"),
            "mm_per_px": Value("float32"),
        }
    )


def write_shard(rows: list[dict], path: Path) -> None:
    """Write rows of encoded columns (see `features`) as one Parquet file, whole or not at all."""
    from datasets import Dataset

    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for name in ("image", "depth", "mask", "albedo"):
        columns[name] = [{"bytes": value, "path": None} for value in columns[name]]
    buffer = io.BytesIO()
    Dataset.from_dict(columns, features=features()).to_parquet(buffer)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(buffer.getvalue())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def open_pairs(folder_or_hub_id: str) -> Any:
    """A `datasets.Dataset` of pairs whose pictures stay encoded bytes until they are asked for.

    Raises:
        FileNotFoundError: a folder without Parquet shards.
        ValueError: a column of the schema is missing.
    """
    from datasets import Image, load_dataset

    folder = Path(folder_or_hub_id)
    if folder.is_dir():
        files = sorted(str(path) for path in folder.glob("**/*.parquet"))
        if not files:
            raise FileNotFoundError(
                f"{folder} holds no .parquet shards; `df2net synthesize` makes them"
            )
        pairs = load_dataset("parquet", data_files=files, split="train")
    else:
        pairs = load_dataset(folder_or_hub_id, split="train")
    missing = [name for name in ("image", "depth", "mask") if name not in pairs.column_names]
    if missing:
        raise ValueError(
            f"{folder_or_hub_id}: column {missing[0]!r} is missing; found {pairs.column_names}"
        )
    for name in ("image", "depth", "mask", "albedo"):
        if name in pairs.column_names:
            pairs = pairs.cast_column(name, Image(decode=False))
    return pairs


def decode_pair(row: dict) -> dict[str, np.ndarray]:
    """Decode one row of `open_pairs`: image, depth, mask and, where stored, albedo."""
    pair = {
        "image": decode_picture(row["image"]["bytes"]),
        "depth": decode_depth(row["depth"]["bytes"]),
        "mask": decode_picture(row["mask"]["bytes"]) > 127,
    }
    if row.get("albedo"):
        pair["albedo"] = decode_picture(row["albedo"]["bytes"])
    return pair
