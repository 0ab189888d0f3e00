"""Photos of faces whose true depth is known: rows of pairs, or a folder of `.npz` views.

docs/evaluation.md has the table of a view's arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from df2net_hub.evaluating.landmarks import as_68, outline_mask
from df2net_hub.evaluating.traits import light_kind, skin_tone
from df2net_hub.evaluation import FEWEST_PIXELS
from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.pairs import decode_pair, open_pairs

VALID = ("mask", "landmarks")  # what says which pixels count
REQUIRED = ("photo", "depth_mm", "mask", "mm_per_px")
TRAITS = ("yaw", "pitch", "age", "skin", "mood", "light")  # an `.npz` may hold them


@dataclass(frozen=True, eq=False)
class View:
    """A photo with its truth."""

    name: str
    photo: np.ndarray  # (H,W,3) uint8
    depth_mm: np.ndarray  # (H,W) float32, nearer = larger, finite inside `mask`
    mask: np.ndarray  # (H,W) bool, the pixels that count
    mm_per_px: float
    is_crop: bool  # the photo is a crop as the networks want it; no face is sought
    landmarks: np.ndarray | None = None  # (68,2) x, y [px]
    identity: str = ""  # names the person
    traits: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Views:
    """The views of a source in their order, each read when it is asked for."""

    source: str
    kind: str  # "npz views", "pairs", "FaceScape" or "BU-3DFE"
    names: list[str]
    loaders: tuple[Callable[[], View], ...]

    def __len__(self) -> int:
        return len(self.loaders)


def npz_views(folder: Path, valid: str = "mask", limit: int | None = None) -> Views:
    """The `.npz` files of a folder as views; there may be none."""
    files = sorted(folder.glob("*.npz"))[:limit]
    loaders = tuple(partial(read_npz_view, path, valid) for path in files)
    return Views(str(folder), "npz views", [path.stem for path in files], loaders)


def pair_views(source: str, valid: str = "mask", limit: int | None = None) -> Views:
    """The rows of a set of pairs, a folder or "owner/name" of the Hub, as views.

    Raises:
        FileNotFoundError: no set there, or one without rows.
        ValueError: a set without columns of the schema.
    """
    rows = open_pairs(source)
    if "depth" not in rows.column_names or "camera" not in rows.column_names:
        raise ValueError(f"{source}: pairs need the columns depth and camera to be a truth")
    count = len(rows) if limit is None else min(limit, len(rows))
    if count == 0:
        raise FileNotFoundError(f"the set {source} has no rows; `df2net synthesize` makes some")
    names = [str(name) for name in rows["id"][:count]] if "id" in rows.column_names else []
    loaders = tuple(partial(_pair_view, rows, number, valid) for number in range(count))
    return Views(source, "pairs", names, loaders)


def read_npz_view(path: Path, valid: str = "mask") -> View:
    """One `.npz` view.

    Raises:
        ValueError: a damaged file, a missing array, a wrong shape, no truth inside the mask.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
    except Exception as error:  # zipfile, zlib and numpy raise half a dozen kinds
        raise ValueError(f"{path} cannot be read as an .npz of plain arrays: {error}") from error
    for name in REQUIRED:
        if name not in arrays:
            raise ValueError(
                f"{path}: array {name!r} is missing; a view has {', '.join(REQUIRED)} "
                f"(docs/evaluation.md), this file has {', '.join(sorted(arrays)) or 'nothing'}"
            )
    photo = arrays["photo"]
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise ValueError(f"{path}: 'photo' must be (H,W,3) uint8, got {photo.shape} {photo.dtype}")
    traits = {
        name: arrays[name].item() for name in TRAITS if name in arrays and arrays[name].ndim == 0
    }
    identity = str(arrays["name"]) if "name" in arrays else path.stem
    return checked(
        str(path),
        View(
            path.stem,
            photo,
            np.asarray(arrays["depth_mm"], np.float32),
            arrays["mask"] > 0,
            float(arrays["mm_per_px"]),
            False,
            as_68(arrays, str(path)),
            identity,
            traits,
        ),
        valid,
    )


def _pair_view(rows: Any, number: int, valid: str) -> View:
    row = rows[number]
    name = row.get("id") or f"row{number}"
    pair, camera, traits = decode_pair(row), row["camera"] or {}, dict(row.get("traits") or {})
    if "depth" not in pair or not camera.get("mm_per_px"):
        raise ValueError(
            f"pair {name}: depth or camera.mm_per_px is not known, so it is no truth; evaluate on "
            "rendered or reconstructed pairs"
        )
    traits |= {key: camera.get(key) for key in ("yaw", "pitch")}
    traits["skin"] = skin_tone(pair["albedo"], pair["mask"]) if "albedo" in pair else None
    traits["light"] = light_kind(row["light"]) if row.get("light") else None
    size = pair["mask"].shape[0]
    landmarks = row.get("landmarks")
    view = View(
        name,
        pair["image"],
        pair["depth"] * np.float32(DEPTH_UNIT_PX * camera["mm_per_px"]),
        pair["mask"],
        camera["mm_per_px"] * CROP_SIZE / size,
        True,
        np.asarray(landmarks, np.float32) if landmarks else None,
        row.get("identity") or name,
        {key: value for key, value in traits.items() if value is not None},
    )
    return checked(f"pair {name}", view, valid)


def checked(where: str, view: View, valid: str) -> View:
    """The view with its mask as `valid` asks and less pixels without truth.

    Raises:
        ValueError: shapes that differ, no length of a pixel, landmarks that are missing or no
            numbers, no truth in the mask.
    """
    size = view.photo.shape[:2]
    for name, shape in (("depth_mm", view.depth_mm.shape), ("mask", view.mask.shape)):
        if shape != size:
            raise ValueError(
                f"{where}: {name!r} is {shape}, the photo is {size}; all must be of one size"
            )
    if not (np.isfinite(view.mm_per_px) and view.mm_per_px > 0):
        raise ValueError(f"{where}: 'mm_per_px' must be above 0, got {view.mm_per_px}")
    if view.landmarks is not None and not np.isfinite(view.landmarks).all():
        raise ValueError(
            f"{where}: landmarks hold NaN or infinity; all 68 are needed, hidden ones too: guess "
            "them, or leave the array out"
        )
    mask = view.mask
    if valid == "landmarks":
        if view.landmarks is None:
            raise ValueError(
                f"{where}: there are no 'landmarks68' to take the valid pixels from; leave out "
                "--valid landmarks, then the mask says it"
            )
        mask = outline_mask(view.landmarks, size)
    mask = mask & np.isfinite(view.depth_mm)
    if mask.sum() < FEWEST_PIXELS:
        raise ValueError(
            f"{where}: only {mask.sum()} pixels inside the mask have a finite 'depth_mm' (NaN "
            f"means no truth); {FEWEST_PIXELS} are needed"
        )
    return replace(view, mask=mask)
