"""ICT-FaceKit's folder of OBJ files -> `MorphableModel`.

The light model of USC's Institute for Creative Technologies (MIT license): `FaceXModel/` holds
`generic_neutral_mesh.obj`, `identity000.obj` onwards, one OBJ per expression and
`vertex_indices.json`. Every OBJ is a whole head in the same vertex order [cm]; the offsets are the
differences from the neutral one. Ranges of the parts are the table of its README.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from df2net_hub.assets.obj_files import read_obj, read_obj_vertices
from df2net_hub.synthesis.morphable import MorphableModel

NUM_VERTICES = 26719
PARTS = {
    "face_narrow": slice(0, 6706),
    "face_outer": slice(6706, 9409),
    "head_and_neck": slice(9409, 11248),
    "mouth_socket": slice(11248, 13294),
    "eye_sockets": slice(13294, 14062),
    "gums_and_tongue": slice(14062, 17039),
    "teeth": slice(17039, 21451),
    "eyeball_left": slice(21451, 23021),
    "eyeball_right": slice(23021, 24591),
    "lacrimal_fluid": slice(24591, 24999),
    "eye_blend": slice(24999, 25047),
    "eye_occlusion": slice(25047, 25351),
    "eyelashes": slice(25351, 26719),
}
# Landmarks 0, 8, 30 and 36 of the README; the files of 2020 had another vertex order.
KNOWN_LANDMARKS = {0: 1225, 8: 966, 30: 4857, 36: 1507}
NEUTRAL = "generic_neutral_mesh.obj"
INDICES = "vertex_indices.json"


def model_folder(source: str | Path) -> Path | None:
    """The folder that holds the neutral mesh: `source` or `source/FaceXModel`, else None."""
    for folder in (Path(source), Path(source) / "FaceXModel"):
        if (folder / NEUTRAL).is_file():
            return folder
    return None


def series(source: str | Path) -> tuple[list[Path], list[Path]]:
    """Paths of the identity modes, in order, and of the expressions, by name.

    Raises:
        FileNotFoundError: no neutral mesh, or a file of the series is missing.
    """
    folder = model_folder(source)
    if folder is None:
        raise FileNotFoundError(
            f"{source} holds no {NEUTRAL}, nor does its FaceXModel/; give the folder of "
            "ICT-FaceKit (docs/assets.md says where to get it)"
        )
    found = {p.stem: p for p in folder.glob("*.obj") if p.name != NEUTRAL}
    modes = sorted(name for name in found if re.fullmatch(r"identity\d{3}", name))
    last = int(modes[-1].removeprefix("identity")) if modes else 0
    wanted = [f"identity{k:03d}" for k in range(last + 1)]
    wanted += [str(name) for name in _indices(folder).get("expressions", [])]
    missing = [name for name in wanted if name not in found]
    if missing:
        raise FileNotFoundError(
            f"{folder} lacks {len(missing)} of its OBJ files: {', '.join(missing[:5])}.obj"
            "; download the folder again"
        )
    expressions = sorted(name for name in found if not name.startswith("identity"))
    return [found[name] for name in modes], [found[name] for name in expressions]


def read_ict_facekit(
    source: str | Path, on_file: Callable[[], object] = lambda: None
) -> MorphableModel:
    """Convert the folder; `on_file` is called after each OBJ file.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is damaged, or from a version with another vertex order.
    """
    identity_paths, expression_paths = series(source)
    folder = identity_paths[0].parent
    neutral = read_obj(folder / NEUTRAL)
    on_file()
    if len(neutral.vertices) != NUM_VERTICES or neutral.uv_triangles is None:
        raise ValueError(
            f"{folder / NEUTRAL} has {len(neutral.vertices)} vertices and {len(neutral.uv)} "
            f"texture points; ICT-FaceKit's has {NUM_VERTICES} and some"
        )
    landmarks = _landmarks(folder)

    def offsets(paths: list[Path]) -> np.ndarray:
        modes = np.empty((len(paths), NUM_VERTICES, 3), np.float32)
        for k, path in enumerate(paths):
            modes[k] = read_obj_vertices(path, NUM_VERTICES) - neutral.vertices
            on_file()
        return modes

    return MorphableModel(
        vertices=neutral.vertices.astype(np.float32),
        triangles=neutral.triangles,
        uv=neutral.uv.astype(np.float32),
        uv_triangles=neutral.uv_triangles,
        identity=offsets(identity_paths),
        expression=offsets(expression_paths),
        expression_names=tuple(path.stem for path in expression_paths),
        landmarks68=landmarks,
        parts=dict(PARTS),
    )


def _indices(folder: Path) -> dict[str, list[object]]:
    path = folder / INDICES
    if not path.is_file():
        raise FileNotFoundError(f"{folder} lacks {INDICES}; download the folder again")
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is no whole JSON file ({error}); download it again") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} should hold a JSON object, it holds a {type(found).__name__}")
    return found


def _landmarks(folder: Path) -> np.ndarray:
    found = _indices(folder).get("idx_to_landmark_verts", [])
    if len(found) != 68 or not all(isinstance(v, int) and 0 <= v < NUM_VERTICES for v in found):
        raise ValueError(
            f"{folder / INDICES}: 'idx_to_landmark_verts' should be 68 vertices below "
            f"{NUM_VERTICES}, it has {len(found)} entries"
        )
    landmarks = np.array(found, np.int32)
    for number, vertex in KNOWN_LANDMARKS.items():
        if landmarks[number] != vertex:
            raise ValueError(
                f"{folder / INDICES}: landmark {number} is vertex {landmarks[number]}, in the "
                f"version that can be read it is {vertex}; get the current files of ICT-FaceKit"
            )
    return landmarks
