"""Basel Face Model 2009 (`01_MorphableModel.mat`) and 2017/2019 (`.h5`) -> `MorphableModel`.

2009 (Paysan et al.): MATLAB v5; `shapeMU` (3N,1) [um], `shapePC` (3N,K) of unit length, `shapeEV`
standard deviations, `texMU`, `texPC`, `texEV` the same for sRGB 0 to 255, `tl` triangles from 1.
2017/2019 (Gerig et al.): HDF5 of statismo; `shape`, `color`, `expression`, each with `model/mean`,
`model/pcaBasis` (3N,K) of unit length, `model/pcaVariance`, in mm and sRGB 0 to 1, triangles in
`representer/cells` (3,T); named landmarks in `metadata/landmarks/json`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from df2net_hub.assets.build_head import RawHead, build_head
from df2net_hub.assets.landmarks_file import read_landmarks
from df2net_hub.assets.warp import complete_landmarks
from df2net_hub.synthesis.morphable import MorphableModel

CM_PER_UM, CM_PER_MM = 1e-4, 0.1
GAMMA = 2.2
# In the file's order, each forward and backward: 38 MB for 53149 vertices; all 100 would be 128 MB.
EXPRESSION_MODES = 30
EXPRESSION_REACH = 2.0  # standard deviations at weight 1
HDF5_SIGNATURE = b"\x89HDF"
# Names in the metadata of 2017 and 2019 -> Multi-PIE.
NAMED_LANDMARKS = {
    "center.chin.tip": 8,
    "center.nose.tip": 30,
    "center.nose.attachement_to_philtrum": 33,
    "right.nose.wing.outer": 31,
    "left.nose.wing.outer": 35,
    "right.eye.corner_outer": 36,
    "right.eye.corner_inner": 39,
    "left.eye.corner_inner": 42,
    "left.eye.corner_outer": 45,
    "right.lips.corner": 48,
    "center.lips.upper.outer": 51,
    "left.lips.corner": 54,
    "center.lips.lower.outer": 57,
    "center.lips.upper.inner": 62,
    "center.lips.lower.inner": 66,
}


def read_basel_2009(path: str | Path, landmarks: str | Path) -> MorphableModel:
    """Convert `01_MorphableModel.mat`; `landmarks` is a table for `read_landmarks`.

    Raises:
        FileNotFoundError: a file is missing.
        ModuleNotFoundError: scipy is not installed.
        ValueError: no MATLAB v5 file, a field is missing or has another shape.
    """
    path = Path(path)
    mat = _load_mat(path)
    mean = _field(mat, "shapeMU", path).ravel() * CM_PER_UM
    deviations = _field(mat, "shapeEV", path).ravel()
    identity = _modes(_field(mat, "shapePC", path), deviations, len(mean), path) * CM_PER_UM
    vertices = mean.reshape(-1, 3)
    color = _field(mat, "texMU", path).ravel() / 255
    color_modes = _field(mat, "texPC", path) / 255
    colors, linear_modes = _linear_colors(
        color, _modes(color_modes, _field(mat, "texEV", path).ravel(), len(mean), path)
    )
    known = {n: vertices[v] for n, v in read_landmarks(landmarks, len(vertices)).items()}
    return build_head(
        RawHead(
            source=str(path),
            vertices=vertices,
            triangles=_triangles(_field(mat, "tl", path), path) - 1,
            identity=identity,
            landmarks68=complete_landmarks(vertices, known),
            colors=colors,
            color_modes=linear_modes,
        )
    )


def read_basel_h5(path: str | Path, landmarks: str | Path | None = None) -> MorphableModel:
    """Convert `model2017-1_*.h5` or `model2019_*.h5`, face12 and fullHead variants included.

    Landmarks come from the table `landmarks` where given, else from the file's own metadata.

    Raises:
        FileNotFoundError: a file is missing.
        ModuleNotFoundError: h5py is not installed.
        ValueError: no HDF5 file, an array is missing or has another shape, no landmarks.
    """
    path = Path(path)
    stored = _load_h5(path)
    mean, identity = _statismo_model(stored, "shape", path)
    vertices = mean.reshape(-1, 3) * CM_PER_MM
    names: tuple[str, ...] = ()
    expression = np.zeros((0, len(vertices), 3))
    if "expression/model/mean" in stored:
        shift, modes = _statismo_model(stored, "expression", path, EXPRESSION_MODES)
        vertices = vertices + shift.reshape(-1, 3) * CM_PER_MM
        expression, names = _both_ways(modes * CM_PER_MM)
    colors, color_modes = None, None
    if "color/model/mean" in stored:
        colors, color_modes = _linear_colors(*_statismo_model(stored, "color", path))
    if landmarks is not None:
        table = read_landmarks(landmarks, len(vertices))
        known = {number: vertices[vertex] for number, vertex in table.items()}
    else:
        known = _metadata_landmarks(stored.get("metadata/landmarks/json"), path)
    cells = _field(stored, "shape/representer/cells", path)
    return build_head(
        RawHead(
            source=str(path),
            vertices=vertices,
            triangles=_triangles(cells, path),
            identity=identity * CM_PER_MM,
            landmarks68=complete_landmarks(vertices, known),
            expression=expression,
            expression_names=names,
            colors=colors,
            color_modes=color_modes,
        )
    )


def _load_mat(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    with open(path, "rb") as file:
        head = file.read(128)
    if head[:4] == HDF5_SIGNATURE or b"MATLAB 7.3" in head:
        raise ValueError(
            f"{path} is a MATLAB v7.3 file; the Basel Face Model 2009 is published as v5: take the "
            "published file, or save it anew in MATLAB with save(..., '-v6')"
        )
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        return dict(loadmat(path))
    except (ValueError, TypeError, OSError, EOFError, MatReadError, NotImplementedError) as error:
        raise ValueError(f"{path} is no whole MATLAB v5 file: {error}") from error


def _load_h5(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    import h5py

    stored: dict[str, Any] = {}
    wanted = [f"{m}/model/{a}" for m in MODELS for a in ("mean", "pcaBasis", "pcaVariance")]
    try:
        with h5py.File(path, "r") as file:
            for name in [*wanted, "shape/representer/cells", "metadata/landmarks/json"]:
                if name in file:
                    stored[name] = file[name][()]
    except (OSError, KeyError, RuntimeError) as error:
        raise ValueError(f"{path} is no whole HDF5 file: {error}") from error
    return stored


MODELS = ("shape", "color", "expression")


def _field(arrays: Mapping[str, Any], name: str, path: Path) -> np.ndarray:
    if name not in arrays:
        found = sorted(key for key in arrays if not key.startswith("__"))
        raise ValueError(f"{path}: array {name!r} is missing; it has {found}")
    array = np.asarray(arrays[name])
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(f"{path}: array {name!r} is not all finite numbers")
    return array if array.dtype.kind != "f" else array.astype(np.float64, copy=False)


def _statismo_model(
    stored: Mapping[str, Any], name: str, path: Path, most: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (3N,) and modes (K,N,3) of one standard deviation."""
    mean = _field(stored, f"{name}/model/mean", path).ravel()
    variance = _field(stored, f"{name}/model/pcaVariance", path).ravel()
    if (variance < 0).any():
        raise ValueError(f"{path}: array '{name}/model/pcaVariance' has negative entries")
    basis = _field(stored, f"{name}/model/pcaBasis", path)
    return mean, _modes(basis, np.sqrt(variance), len(mean), path)[:most]


def _modes(basis: np.ndarray, deviations: np.ndarray, length: int, path: Path) -> np.ndarray:
    """(K,N,3) float32 from unit vectors (3N,K) and K standard deviations."""
    if length % 3 or basis.shape != (length, len(deviations)):
        raise ValueError(
            f"{path}: a basis has shape {basis.shape}; mean and deviations call for "
            f"({length}, {len(deviations)}), the first a multiple of 3"
        )
    return (basis * deviations).T.reshape(len(deviations), -1, 3).astype(np.float32)


def _triangles(cells: np.ndarray, path: Path) -> np.ndarray:
    """(T,3) int from (T,3) or (3,T)."""
    cells = cells.T if cells.shape[0] == 3 and cells.ndim == 2 else cells
    if cells.ndim != 2 or cells.shape[1] != 3:
        raise ValueError(f"{path}: triangles have shape {cells.shape}, expected (T, 3)")
    return cells.astype(np.int64)


def _linear_colors(mean: np.ndarray, modes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear RGB (N,3) and modes (C,N,3) from sRGB in [0,1]; modes to first order at the mean."""
    mean = np.clip(mean.reshape(-1, 3), 0.0, 1.0)
    return mean**GAMMA, (modes * GAMMA * mean ** (GAMMA - 1)).astype(np.float32)


def _both_ways(modes: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Shapes of weights 0 to 1 from modes of weights N(0,1): each mode forward and backward."""
    shapes = np.stack([modes, -modes], 1).reshape(-1, *modes.shape[1:]) * EXPRESSION_REACH
    names = [f"mode{k:03d}{way}" for k in range(len(modes)) for way in ("plus", "minus")]
    return shapes, tuple(names)


def _metadata_landmarks(stored: Any, path: Path) -> dict[int, np.ndarray]:
    """Multi-PIE number -> point [cm]; empty where the file names none."""
    if stored is None:
        return {}
    text = stored if isinstance(stored, (bytes, str)) else np.asarray(stored).tobytes()
    try:
        entries = json.loads(text.strip(b"\0") if isinstance(text, bytes) else text)
        if isinstance(entries, list):
            entries = {entry["id"]: entry["coordinates"] for entry in entries}
        points = {name: np.array(point, np.float64) for name, point in dict(entries).items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: 'metadata/landmarks/json' cannot be read: {error}") from error
    return {
        number: points[name] * CM_PER_MM
        for name, number in NAMED_LANDMARKS.items()
        if name in points
    }
