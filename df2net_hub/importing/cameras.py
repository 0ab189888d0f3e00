"""Stated cameras: where a vertex of a mesh lies in its photo, said in JSON.

Weak perspective, mesh axes after `rotation` x right, y up, z toward the camera:

    {"kind": "weak", "scale": 2.1, "rotation": [[..], [..], [..]], "shift": [x, y]}
    x_photo = scale (R v)_x + shift_x,  y_photo = shift_y - scale (R v)_y   [px]

Pinhole, the camera at the origin after v' = R v + translation:

    {"kind": "pinhole", "fx": 1200, "fy": 1200, "cx": 320, "cy": 240, "axes": "opencv",
     "rotation": [[..], [..], [..]], "translation": [x, y, z]}
    opencv: x right, y down, z away from the camera;  opengl: x right, y up, z toward it, so that
    what is seen has z < 0.

`rotation` may be left out if the mesh stands in the camera's frame already. In every case, a mesh
whose own frame looks forward along +z with y up (as 3DMMs do) may say `"frontal": true`; then its
rotation is the head's pose. `mm_per_unit` (optional) is the length of a unit of the mesh. Pixel
centers lie at integers, the middle of the upper left pixel at (0, 0).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from df2net_hub.importing.surface import FaceSurface, Rejected

AXES = {"opencv": np.array([1.0, -1.0, -1.0]), "opengl": np.array([1.0, 1.0, 1.0])}
KEYS = {
    "weak": ({"scale", "shift"}, {"rotation", "frontal", "mm_per_unit"}),
    "pinhole": (
        {"fx", "fy", "cx", "cy", "axes"},
        {"rotation", "translation", "frontal", "mm_per_unit"},
    ),
}


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera as `read_camera` reads it; `lens` is its numbers, see this module's docstring."""

    kind: str
    rotation: np.ndarray  # (3,3)
    translation: np.ndarray  # (3,), pinhole only
    lens: dict[str, Any]
    frontal: bool
    mm_per_unit: float | None

    def place(
        self,
        photo: np.ndarray,
        vertices: np.ndarray,
        triangles: np.ndarray,
        visible: np.ndarray | None = None,
    ) -> FaceSurface:
        """The mesh (V,3), (T,3) in the photo that this camera took of it."""
        turned = vertices @ self.rotation.T
        to_front = self.rotation.T
        if self.kind == "weak":
            scale = float(self.lens["scale"])
            shape = turned * scale
            pixels = shape[:, :2] * [1, -1] + self.lens["shift"]
        else:
            axes = AXES[self.lens["axes"]]
            seen = (turned + self.translation) * axes  # x right, y up, z toward the camera
            distance = -seen[:, 2]
            if not (distance > 0).all():
                raise Rejected("the mesh reaches behind its camera: other axes or translation")
            focal = np.array([self.lens["fx"], self.lens["fy"]], float)
            pixels = seen[:, :2] / distance[:, None] * focal * [1, -1]
            pixels = pixels + [self.lens["cx"], self.lens["cy"]]
            scale = float(focal.mean() / distance.mean())
            shape = seen * scale
            to_front = (axes[:, None] * self.rotation).T  # a frontal mesh is y up, z forward
        return FaceSurface(
            photo,
            pixels,
            shape,
            triangles,
            to_front if self.frontal else None,
            None if self.mm_per_unit is None else self.mm_per_unit / scale,
            visible,
        )


def read_camera(source: str | Path) -> Camera:
    """A camera from JSON text (it begins with a brace) or from a JSON file.

    Raises:
        ValueError: no JSON, a key that is missing or unknown, or a value that cannot be.
        FileNotFoundError: no such file.
    """
    text, name = str(source), "the camera"
    if not text.lstrip().startswith("{"):
        name = text
        if not Path(text).is_file():
            raise FileNotFoundError(
                f"no camera file {text}; docs/import.md says what belongs in it"
            )
        text = Path(text).read_text(encoding="utf-8")
    try:
        stated = json.loads(text)
    except ValueError as error:  # bytes that are no text included
        raise ValueError(f"{name} is no JSON ({error})") from error
    kind = stated.get("kind") if isinstance(stated, dict) else None
    if kind not in KEYS:
        raise ValueError(f"{name}: 'kind' must be one of {', '.join(KEYS)}, got {kind!r}")
    needed, optional = KEYS[kind]
    given = set(stated) - {"kind"}
    if not needed <= given <= needed | optional:
        wrong = sorted(given - needed - optional) or sorted(needed - given)
        word = "unknown" if given - needed - optional else "missing"
        raise ValueError(
            f"{name}: {word} {', '.join(wrong)}; a {kind} camera has {', '.join(sorted(needed))} "
            f"and may have {', '.join(sorted(optional))}"
        )
    return _camera(name, kind, stated)


def _camera(name: str, kind: str, stated: dict[str, Any]) -> Camera:
    if kind == "pinhole" and stated["axes"] not in AXES:
        raise ValueError(f"{name}: 'axes' must be opencv or opengl, got {stated['axes']!r}")
    positive = ("scale",) if kind == "weak" else ("fx", "fy")
    single = (*positive, *(() if kind == "weak" else ("cx", "cy")))
    lens = {key: _numbers(name, key, stated[key], ()) for key in single}
    for key in (*positive, *(["mm_per_unit"] if "mm_per_unit" in stated else [])):
        if not _numbers(name, key, stated[key], ()) > 0:
            raise ValueError(f"{name}: {key!r} must be more than 0, got {stated[key]}")
    if kind == "weak":
        lens["shift"] = _numbers(name, "shift", stated["shift"], (2,))
    else:
        lens["axes"] = stated["axes"]
    rotation = _numbers(name, "rotation", stated.get("rotation", np.eye(3).tolist()), (3, 3))
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) or np.linalg.det(rotation) < 0:
        raise ValueError(f"{name}: 'rotation' must be a rotation: rows of length 1 at right angles")
    if not isinstance(stated.get("frontal", False), bool):
        raise ValueError(f"{name}: 'frontal' must be true or false, got {stated['frontal']!r}")
    translation = _numbers(name, "translation", stated.get("translation", [0, 0, 0]), (3,))
    mm_per_unit = stated.get("mm_per_unit")
    return Camera(kind, rotation, translation, lens, stated.get("frontal", False), mm_per_unit)


def _numbers(name: str, key: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        wanted = f"numbers of shape {shape}" if shape else "a number"
        raise ValueError(f"{name}: {key!r} must be {wanted}, got {value!r}")
    return numbers
