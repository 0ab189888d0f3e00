"""FaceScape's multi-view photos and scans (Yang et al., CVPR 2020), in the layout of its download.

    ROOT/Rt_scale_dict.json            id -> expression's number -> [scale, Rt] to millimeters
    ROOT/ID/EXPRESSION/N.jpg           photo of camera N
    ROOT/ID/EXPRESSION/params.json     N_K, N_Rt, N_distortion, N_width, N_height, N_valid
    ROOT/ID/EXPRESSION.ply             the scan, such as ROOT/122/1_neutral.ply

The scan is drawn into each photo, which is undistorted and shrunk. It covers the whole head: what
is compared is the part of it that a method takes for face, and `covered` says nothing.
"""

import json
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import trimesh

from df2net_hub.evaluating.views import View, Views, checked
from df2net_hub.photos import load_photo
from df2net_hub.synthesis.raster import rasterize

LONGEST = 1024  # side of the photos [px]
SCALES = "Rt_scale_dict.json"
MOST_YAW = 60.0  # [deg]; cameras stand all around the head


def facescape_views(folder: Path, valid: str = "mask", limit: int | None = None) -> Views:
    """The photos that show a face by at most 60 degrees of yaw, sorted by person and expression.

    Raises:
        FileNotFoundError: no photos, or a scan is missing.
        ValueError: a JSON file that will not do.
    """
    scales = _json(folder / SCALES)
    names: list[str] = []
    loaders: list[Callable[[], View]] = []
    for params_path in sorted(folder.glob("*/*/params.json")):
        person, expression = params_path.parts[-3:-1]
        scan = params_path.parent.with_suffix(".ply")
        if not scan.is_file():
            raise FileNotFoundError(
                f"{scan} is missing: put FaceScape's shapes beside the folders of its photos"
            )
        params = _json(params_path)
        try:
            scale, to_mm = scales[person][expression.split("_")[0]]
        except (KeyError, ValueError) as error:
            raise ValueError(f"{folder / SCALES} has no scale of {person}/{expression}") from error
        for photo in sorted(params_path.parent.glob("*.jpg"), key=lambda path: path.stem.zfill(3)):
            if not params.get(f"{photo.stem}_valid", False):
                continue
            camera = {key: params[f"{photo.stem}_{key}"] for key in ("K", "Rt", "distortion")}
            yaw = _yaw(np.asarray(camera["Rt"]), np.asarray(to_mm))
            if abs(yaw) <= MOST_YAW and len(names) != limit:
                names.append(_name(photo))
                loaders.append(partial(_view, photo, scan, camera, float(scale), yaw, valid))
    if not names:
        raise FileNotFoundError(
            f"{folder} holds {SCALES} but no ID/EXPRESSION/N.jpg with a valid camera in params.json"
        )
    return Views(str(folder), "FaceScape", names, tuple(loaders))


def _name(photo: Path) -> str:
    return "_".join((*photo.parts[-3:-1], photo.stem))


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error


def _yaw(camera: np.ndarray, to_mm: np.ndarray) -> float:
    """Turn [deg] to the picture's right of a face that looks along z once it is in millimeters."""
    x, _, z = camera[:3, :3] @ to_mm[:3, :3].T @ np.array([0.0, 0.0, 1.0])
    return float(np.degrees(np.arctan2(x, -z)))


@lru_cache(maxsize=1)  # the views of a scan come one after the other
def _scan(path: Path) -> tuple[np.ndarray, np.ndarray]:
    mesh = trimesh.load(path, force="mesh", process=False)
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
        raise ValueError(f"{path} holds no triangles; download FaceScape's shapes again")
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int32)


def _view(
    photo: Path, scan: Path, camera: dict[str, Any], mm_per_unit: float, yaw: float, valid: str
) -> View:
    pixels = load_photo(photo)
    matrix = np.array(camera["K"], np.float64)
    pixels = cv2.undistort(pixels, matrix, np.array(camera["distortion"], np.float64))
    share = min(LONGEST / max(pixels.shape[:2]), 1.0)
    size = (round(pixels.shape[1] * share), round(pixels.shape[0] * share))
    pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    # Pixel centers lie at integers, so the picture's corner at -0.5 stays where it is.
    matrix[:2] *= share
    matrix[:2, 2] += (share - 1) / 2
    vertices, triangles = _scan(scan)
    outer = np.array(camera["Rt"], np.float64)
    seen = vertices @ outer[:3, :3].T + outer[:3, 3]
    flat = seen @ matrix.T
    points = np.column_stack([flat[:, :2] / flat[:, 2:], -seen[:, 2] * mm_per_unit])
    height = rasterize(points.astype(np.float32), triangles, max(size))[0][: size[1], : size[0]]
    drawn = np.isfinite(height)
    distance = -float(height[drawn].mean()) if drawn.any() else np.nan
    view = View(
        _name(photo),
        pixels,
        np.where(drawn, height + distance, np.nan).astype(np.float32),
        drawn,
        distance / float(matrix[0, 0]),
        False,
        None,
        photo.parts[-3],
        {"yaw": yaw, "mood": photo.parts[-2].partition("_")[2]},
    )
    return checked(str(photo), view, valid)
