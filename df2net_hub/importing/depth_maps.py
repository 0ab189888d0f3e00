"""Depth maps of any origin: PNG of 16 bits, npy, npz, EXR, with a statement of what they mean.

    {"unit": "px", "step": 1.0, "nearer": "larger"}
    {"unit": "mm", "step": 0.1, "nearer": "smaller", "focal_px": 1200}
    {"unit": "mm", "step": 1.0, "nearer": "larger", "mm_per_px": 0.4}

A value v is `step` v units; `nearer` says which values are nearer to the camera. A pixel [px] of
depth is as long as one of the map. Millimeters need the length of a pixel, or, for distances from
the camera, its focal length: then a pixel is as long as it is at the mean distance. No depth is
where an integer is 0 or a float is not finite.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from df2net_hub.importing.surface import FaceSurface, Rejected, weak_perspective
from df2net_hub.mesh import continuous_steps

DEPTH_SUFFIXES = (".png", ".npy", ".npz", ".exr")
NO_EXR = "EXR that this OpenCV does not read, or damaged: save it as .npy"
UNITS, NEARER = ("px", "mm"), ("larger", "smaller")


@dataclass(frozen=True)
class DepthStatement:
    """What the values of a depth map mean; see the file's docstring."""

    unit: str
    step: float
    nearer: str
    mm_per_px: float | None = None
    focal_px: float | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS or self.nearer not in NEARER:
            raise ValueError(
                f"a depth statement's unit is one of {UNITS} and nearer one of {NEARER}, got "
                f"{self.unit!r} and {self.nearer!r}"
            )
        given = [self.step, *(v for v in (self.mm_per_px, self.focal_px) if v is not None)]
        if not all(isinstance(v, (int, float)) and 0 < v < np.inf for v in given):
            raise ValueError(f"step, mm_per_px and focal_px must be numbers above 0, got {given}")
        if self.unit == "mm" and (self.mm_per_px is None) == (self.focal_px is None):
            raise ValueError("depth in mm needs mm_per_px or focal_px, and not both")
        if self.unit == "px" and self.focal_px is not None:
            raise ValueError("focal_px belongs to depth in mm")
        if self.focal_px is not None and self.nearer == "larger":
            raise ValueError("focal_px belongs to distances from the camera: nearer is smaller")

    def height_px(self, values: np.ndarray) -> tuple[np.ndarray, float | None]:
        """Height toward the camera [px] of `values` (any shape, finite), and mm per pixel."""
        lengths = values.astype(np.float64) * self.step
        mm_per_px = self.mm_per_px
        if self.focal_px is not None:
            mm_per_px = float(lengths.mean()) / self.focal_px
        if self.unit == "mm":
            assert mm_per_px is not None
            lengths = lengths / mm_per_px
        return (lengths if self.nearer == "larger" else -lengths), mm_per_px


def read_statement(source: str) -> DepthStatement:
    """A statement from JSON text (it begins with a brace) or from a JSON file.

    Raises:
        ValueError: no JSON, a key that is missing or unknown, a value that cannot be.
        FileNotFoundError: no such file.
    """
    text = source
    if not source.lstrip().startswith("{"):
        if not Path(source).is_file():
            raise FileNotFoundError(f"no depth statement {source}; docs/import.md shows three")
        text = Path(source).read_text(encoding="utf-8")
    try:
        return DepthStatement(**json.loads(text))
    except TypeError as error:  # a key that is missing or unknown
        raise ValueError(
            f"a depth statement has unit, step, nearer and mm_per_px or focal_px: {error}"
        ) from error
    except ValueError as error:
        raise ValueError(f"the depth statement {source!r} will not do: {error}") from error


def read_depth_map(
    path: Path, photo: np.ndarray, statement: DepthStatement, mask: np.ndarray | None
) -> FaceSurface:
    """The surface of a depth map as large as its photo (H,W,3), inside `mask` (H,W) or its own.

    Raises:
        Rejected: a damaged file, 8 bits, another size, no depth inside the mask, or a map without
            gaps and no mask.
    """
    values, own_mask = _read_values(path)
    if values.shape != photo.shape[:2]:
        raise Rejected("depth map of another size than its photo")
    if np.issubdtype(values.dtype, np.integer):
        known = values != 0
    else:
        known = np.isfinite(values)
    mask = own_mask if mask is None else mask
    if mask is None and known.all():
        raise Rejected("depth map over the whole photo without a mask that says where the face is")
    if mask is not None and mask.shape != values.shape:
        raise Rejected("mask of another size than its depth map")
    known = known if mask is None else known & mask
    if known.sum() < 16:
        raise Rejected("depth map without depth inside its mask")
    height = np.zeros(values.shape)
    height[known], mm_per_px = statement.height_px(values[known])
    rows, columns = np.nonzero(known)
    points = np.column_stack([columns, rows, height[known]]).astype(np.float64)
    surface = weak_perspective(photo, points, grid_triangles(height, known))
    return FaceSurface(photo, surface.pixels, surface.shape, surface.triangles, None, mm_per_px)


def grid_triangles(height: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Triangles (T,3) int32 over the pixels of `known` (H,W), numbered row by row.

    None spans a jump in depth (see `mesh.continuous_steps`).

    Raises:
        Rejected: no three neighboring pixels form a surface.
    """
    along_rows, along_columns = continuous_steps(height, known)
    index = np.full(known.shape, -1, np.int32)
    index[known] = np.arange(known.sum())
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    upper = along_rows[:-1] & along_columns[:, :-1]
    lower = along_rows[1:] & along_columns[:, 1:]
    parts = [
        np.stack([corner[use] for corner in corners], -1)
        for use, corners in ((upper, (a, c, b)), (lower, (d, b, c)))
    ]
    triangles = np.concatenate(parts)
    if len(triangles) == 0:
        raise Rejected("depth map of single pixels without a surface")
    return triangles


def _read_values(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """(H,W) of numbers, and the mask (H,W) bool that an npz may hold."""
    if not path.is_file():
        raise Rejected("no depth map for the photo")
    mask = None
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                if "depth" not in arrays:
                    raise Rejected("npz without an array named depth")
                values: Any = arrays["depth"]
                mask = arrays["mask"] > 0 if "mask" in arrays else None
        elif path.suffix == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except Rejected:
        raise
    except cv2.error as error:  # OpenCV 4, where EXR is off by default
        raise Rejected(NO_EXR) from error
    except Exception as error:  # zipfile and numpy raise half a dozen kinds for damaged files
        raise Rejected(f"{path.suffix} depth map that is damaged or cut off") from error
    if values is None and path.suffix.lower() == ".exr":  # OpenCV 5, which has no EXR
        raise Rejected(NO_EXR)
    if values is None:
        raise Rejected(f"{path.suffix} depth map that is damaged or cut off")
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim != 2:
        raise Rejected("depth map with several channels")
    if values.dtype.itemsize < 2 or values.dtype == bool:
        raise Rejected("depth map of 8 bits: its steps would be stairs; export 16 bits or floats")
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise Rejected("depth map that holds no numbers")
    return values, mask
