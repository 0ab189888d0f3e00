"""FLAME, written to a plain `.npz` by its user -> `MorphableModel`.

FLAME (Li et al. 2017, MPI) comes as a pickle, and to load a pickle is to run it. docs/assets.md
has the short script that writes its arrays to an `.npz` in an environment of their own; that file
and FLAME's landmark embeddings in `.npz` form are read here. Units of the arrays: m.
"""

from pathlib import Path

import numpy as np

from df2net_hub.assets.build_head import RawHead, build_head
from df2net_hub.assets.landmarks_file import read_landmarks
from df2net_hub.assets.warp import complete_landmarks
from df2net_hub.synthesis.morphable import MorphableModel, read_npz

CM_PER_M = 100.0
IDENTITY_MODES = 300  # of `shapedirs`; the rest are expressions
EXPRESSION_MODES = 30
EXPRESSION_REACH = 2.0  # standard deviations at weight 1
JAW_JOINT = 2
JAW_OPEN_RAD = 0.35  # at weight 1
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".npy")


def read_flame(
    path: str | Path,
    embedding: str | Path | None = None,
    landmarks: str | Path | None = None,
) -> MorphableModel:
    """Convert arrays `v_template` (V,3), `f` (T,3) and `shapedirs` (V,3,K) of an `.npz`.

    With `weights` (V,J) and `J_regressor` (J,V) in it the jaw opens, as expression `jawOpen`.
    Landmarks come from the table `landmarks`, else from the `embedding`.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a pickle, a missing array, another shape, no landmarks.
    """
    path = Path(path)
    arrays = _plain_arrays(path)
    vertices = _array(arrays, "v_template", path, (None, 3)) * CM_PER_M
    num = len(vertices)
    faces = _array(arrays, "f", path, (None, 3)).astype(np.int64)
    modes = _array(arrays, "shapedirs", path, (num, 3, None)).transpose(2, 0, 1) * CM_PER_M
    if faces.min() < 0 or faces.max() >= num:
        raise ValueError(f"{path}: array 'f' points outside its {num} vertices")
    shapes, names = _expressions(arrays, vertices, modes[IDENTITY_MODES:], path)
    if landmarks is not None:
        table = read_landmarks(landmarks, num)
        known = {number: vertices[vertex] for number, vertex in table.items()}
    elif embedding is not None:
        known = _embedded(Path(embedding), vertices, faces)
    else:
        raise ValueError(
            f"{path} has no landmarks of its own: name FLAME's landmark embedding (.npz), or a "
            "table of landmarks; docs/assets.md has both"
        )
    return build_head(
        RawHead(
            source=str(path),
            vertices=vertices,
            triangles=faces,
            identity=modes[:IDENTITY_MODES],
            landmarks68=complete_landmarks(vertices, _with_chin(known)),
            expression=shapes,
            expression_names=names,
        )
    )


def refuse_pickle(path: Path) -> None:
    """Raise ValueError if `path` is a pickle by its name or its first bytes."""
    with open(path, "rb") as file:
        first = file.read(2)
    pickled = first[:1] == b"\x80" or (path.suffix.lower() in PICKLES and first != b"PK")
    if pickled:
        raise ValueError(
            f"{path} is a pickle or may hold one, and loading a pickle runs whatever code is in "
            "it; write its arrays to a plain .npz with the script in docs/assets.md, in an "
            "environment of its own, and give that file"
        )


def _plain_arrays(path: Path) -> dict[str, np.ndarray]:
    if path.is_file():
        refuse_pickle(path)
    return read_npz(path)


def _array(
    arrays: dict[str, np.ndarray], name: str, path: Path, shape: tuple[int | None, ...]
) -> np.ndarray:
    if name not in arrays:
        raise ValueError(f"{path}: array {name!r} is missing; found {sorted(arrays)}")
    array = arrays[name]
    fits = array.ndim == len(shape) and all(
        s in (None, g) for s, g in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype.kind not in "fiu" or not array.size:
        raise ValueError(f"{path}: array {name!r} is {array.dtype}{array.shape}, expected {shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: array {name!r} holds NaN or infinity")
    return array if array.dtype.kind != "f" else array.astype(np.float64)


def _expressions(
    arrays: dict[str, np.ndarray], vertices: np.ndarray, modes: np.ndarray, path: Path
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Shapes of weights 0 to 1: each mode forward and backward, and the jaw where it is rigged."""
    modes = modes[:EXPRESSION_MODES]
    shapes = np.stack([modes, -modes], 1).reshape(-1, len(vertices), 3) * EXPRESSION_REACH
    names = [f"mode{k:03d}{way}" for k in range(len(modes)) for way in ("plus", "minus")]
    if "weights" in arrays and "J_regressor" in arrays:
        weights = _array(arrays, "weights", path, (len(vertices), None))
        regressor = _array(arrays, "J_regressor", path, (weights.shape[1], len(vertices)))
        shapes = np.concatenate([shapes, jaw_open(vertices, weights, regressor)[None]])
        names.append("jawOpen")
    return shapes, tuple(names)


def jaw_open(vertices: np.ndarray, weights: np.ndarray, regressor: np.ndarray) -> np.ndarray:
    """(V,3) offsets of the jaw turned down about its joint, by linear blend skinning."""
    joint = regressor[JAW_JOINT] @ vertices
    cos, sin = np.cos(JAW_OPEN_RAD), np.sin(JAW_OPEN_RAD)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])  # the chin goes down and back
    from_joint = vertices - joint
    return weights[:, JAW_JOINT, None] * (from_joint @ turn.T - from_joint)


def _embedded(path: Path, vertices: np.ndarray, faces: np.ndarray) -> dict[int, np.ndarray]:
    """Multi-PIE number -> point, from triangles and barycentric coordinates.

    51 points are landmarks 17 to 67, 68 points are all. Names of both generations of the files.
    """
    arrays = _plain_arrays(path)
    for triangle_name, weight_name in (
        ("full_lmk_faces_idx", "full_lmk_bary_coords"),
        ("static_lmk_faces_idx", "static_lmk_bary_coords"),
        ("lmk_face_idx", "lmk_b_coords"),
    ):
        if triangle_name in arrays and weight_name in arrays:
            break
    else:
        raise ValueError(f"{path}: no landmark embedding in it; found {sorted(arrays)}")
    index = arrays[triangle_name].reshape(-1)
    bary = arrays[weight_name].reshape(-1, 3).astype(np.float64)
    if index.dtype.kind not in "iu" or len(index) != len(bary) or len(index) not in (51, 68):
        raise ValueError(
            f"{path}: {triangle_name!r} has {len(index)} entries and {weight_name!r} {len(bary)}; "
            "expected 51 (landmarks 17 to 67) or 68 of both"
        )
    if index.min() < 0 or index.max() >= len(faces) or not np.isfinite(bary).all():
        raise ValueError(f"{path}: {triangle_name!r} points outside the {len(faces)} triangles")
    points = np.einsum("nc,ncx->nx", bary, vertices[faces[index]])
    return {68 - len(points) + k: point for k, point in enumerate(points)}


def _with_chin(known: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """The 51 inner landmarks say nothing of the chin: put it where a mean head has it."""
    if 8 in known or not {33, 57} <= set(known):
        return known
    nose, lip = known[33], known[57]
    # From under the nose to the lower lip is 3.18 cm on the mean head, on to the chin 3.19 cm.
    return {**known, 8: lip + np.array([0, -1.0, -0.35]) * (nose[1] - lip[1])}
