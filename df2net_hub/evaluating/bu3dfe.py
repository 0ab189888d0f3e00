"""BU-3DFE's textured scans (Yin et al., FG 2006), in the layout of its distribution.

    ROOT/F0001/F0001_AN01WH_F3D.wrl    face region, VRML 2.0 [mm], y up, the face along z
    ROOT/F0001/F0001_AN01WH_F3D.bmp    its texture

The set states no camera that would lay a scan on a photo, so the photos are drawn: the scan in its
own colors, whose light is the studio's, seen from afar and turned to both sides.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from df2net_hub.evaluating.views import View, Views, checked
from df2net_hub.photos import load_photo
from df2net_hub.synthesis.raster import interpolate, rasterize, sample_texture

SCANS = "*/*_F3D.wrl"
YAWS = (0.0, -30.0, 30.0)  # [deg], to the picture's right
SIZE = 640  # of the photos [px]
FACE_SHARE = 0.6  # of the photo's side that the scan's longest side takes
BACKGROUND = 127
MOODS = {
    "AN": "angry", "DI": "disgusted", "FE": "afraid", "HA": "happy", "NE": "neutral",
    "SA": "sad", "SU": "surprised",
}  # fmt: skip
NAME = re.compile(r"([FM]\d{4})_([A-Z]{2})(\d\d)([A-Z]{2})_F3D")


@dataclass(frozen=True, eq=False)
class Scan:
    """A textured scan.

    Attributes:
        vertices: (V,3) [mm].
        triangles, uv_triangles: (T,3) into `vertices` and into `uv`.
        uv: (U,2), v up.
        texture: (H,W,3) uint8.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray
    texture: np.ndarray


def bu3dfe_views(folder: Path, valid: str = "mask", limit: int | None = None) -> Views:
    """Three drawn photos of each scan, sorted by person and expression.

    Raises:
        FileNotFoundError: no scan, or a texture is missing.
    """
    names: list[str] = []
    loaders: list[Callable[[], View]] = []
    for scan in sorted(folder.glob(SCANS)):
        if not scan.with_suffix(".bmp").is_file():
            raise FileNotFoundError(
                f"{scan.with_suffix('.bmp')} is missing: the photos are drawn with the scan's "
                "texture"
            )
        for yaw in YAWS:
            if len(names) != limit:
                names.append(f"{scan.stem}_{yaw:+.0f}")
                loaders.append(partial(_view, scan, yaw, valid))
    if not names:
        raise FileNotFoundError(f"{folder} holds no ID/ID_EXPRESSION_F3D.wrl of BU-3DFE")
    return Views(str(folder), "BU-3DFE", names, tuple(loaders))


def read_scan(path: Path) -> Scan:
    """A scan with the texture beside it.

    Raises:
        ValueError: a part of the VRML is missing or does not fit the others; says which.
    """
    text = path.read_text(encoding="ascii", errors="replace")
    vertices, uv = _points(path, text, "Coordinate", 3), _points(path, text, "TextureCoordinate", 2)
    triangles = _triangles(path, text, "coordIndex", len(vertices))
    uv_triangles = _triangles(path, text, "texCoordIndex", len(uv))
    if len(triangles) != len(uv_triangles):
        raise ValueError(
            f"{path}: coordIndex makes {len(triangles)} triangles, texCoordIndex "
            f"{len(uv_triangles)}; they must be as many"
        )
    texture = load_photo(path.with_suffix(".bmp"))
    return Scan(vertices, triangles, uv, uv_triangles, texture)


def _points(path: Path, text: str, node: str, columns: int) -> np.ndarray:
    # \b keeps Coordinate apart from TextureCoordinate.
    found = re.search(rf"\b{node}\s*\{{\s*point\s*\[([^\]]*)\]", text)
    values = _numbers(path, node, found.group(1) if found else "")
    if not len(values) or len(values) % columns:
        raise ValueError(
            f"{path}: {node} {{ point [...] }} must hold {columns} numbers a point, "
            f"got {len(values)} numbers"
        )
    return values.reshape(-1, columns)


def _triangles(path: Path, text: str, field: str, count: int) -> np.ndarray:
    """Polygons, each ended by -1, as fans of triangles."""
    found = re.search(rf"\b{field}\s*\[([^\]]*)\]", text)
    values = _numbers(path, field, found.group(1) if found else "").astype(np.int64)
    ends = np.flatnonzero(values == -1)
    corners = [polygon[polygon >= 0] for polygon in np.split(values, ends)]
    fans = [(one[0], one[i], one[i + 1]) for one in corners for i in range(1, len(one) - 1)]
    if not fans or values.max() >= count or values.min() < -1:
        raise ValueError(
            f"{path}: {field} must hold polygons of points 0 to {count - 1}, each ended by -1, "
            f"got {len(fans)} triangles of points up to {values.max(initial=-1)}"
        )
    return np.array(fans, np.int32)


def _numbers(path: Path, field: str, text: str) -> np.ndarray:
    try:
        return np.array(text.replace(",", " ").split(), np.float64)
    except ValueError as error:
        raise ValueError(f"{path}: {field} holds something that is no number: {error}") from error


_scan = lru_cache(maxsize=1)(read_scan)  # the views of a scan come one after the other


def _view(path: Path, yaw: float, valid: str) -> View:
    scan = _scan(path)
    extent = scan.vertices.max(0) - scan.vertices.min(0)
    mm_per_px = float(extent.max()) / (FACE_SHARE * SIZE)
    middle = (scan.vertices.max(0) + scan.vertices.min(0)) / 2
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    turned = (scan.vertices - middle) @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T / mm_per_px
    center = (SIZE - 1) / 2
    points = np.column_stack([center + turned[:, 0], center - turned[:, 1], turned[:, 2]])
    height, triangle, weights = rasterize(points.astype(np.float32), scan.triangles, SIZE)
    drawn = triangle >= 0
    corners = scan.uv_triangles[triangle[drawn]]
    u, v = interpolate(scan.uv.astype(np.float32), corners, weights[drawn]).T
    rows, columns = scan.texture.shape[:2]
    x, y = u * columns - 0.5, (1 - v) * rows - 0.5
    photo = np.full((SIZE, SIZE, 3), BACKGROUND, np.uint8)
    photo[drawn] = sample_texture(scan.texture.astype(np.float32), x, y).round()
    found = NAME.match(path.stem)
    traits = {"yaw": yaw} | ({"mood": MOODS.get(found[2], found[2])} if found else {})
    view = View(
        f"{path.stem}_{yaw:+.0f}",
        photo,
        np.where(drawn, height * mm_per_px, np.nan).astype(np.float32),
        drawn,
        mm_per_px,
        False,
        None,
        path.parent.name,
        traits,
    )
    return checked(str(path), view, valid)
