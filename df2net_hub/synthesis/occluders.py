"""Things in front of a head: caps, head scarves, hands, cups, phones, microphones, masks, collars.

Plain meshes of tubes and sheets; all of them lie outside the mask of the face.
"""

from collections.abc import Callable

import numpy as np

from df2net_hub.synthesis.appearance import HeadFields, to_linear
from df2net_hub.synthesis.hair import Occluder
from df2net_hub.synthesis.morphable import MorphableModel

Colored = tuple[Occluder, np.ndarray]
IN_FRONT_SHARE = 0.08  # of pictures that have something before the face or on the head


def _sheet(points: np.ndarray, gloss: float, weave: float = 0.0) -> Occluder:
    """A grid of points (rows,columns,3) as a surface."""
    rows, columns, _ = points.shape
    i = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    triangles = np.concatenate(
        [np.stack([i, i + columns, i + 1], -1), np.stack([i + 1, i + columns, i + columns + 1], -1)]
    )
    v, u = np.mgrid[0:rows, 0:columns].reshape(2, -1)
    strand = np.stack([u, v], -1) * weave
    flat = points.reshape(-1, 3).astype(np.float32)
    keep = np.full(len(flat), 9, np.float32)
    return Occluder(flat, triangles.astype(np.int32), keep, strand.astype(np.float32), gloss=gloss)


def _tube(path: np.ndarray, radius: np.ndarray, gloss: float) -> Occluder:
    """A round tube along `path` (n,3) with `radius` (n,), closed where its radius is 0."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    pick = np.where(np.abs(tangent[:, 1:2]) < 0.8, [[0, 1.0, 0]], [[1.0, 0, 0]])
    first = np.cross(tangent, pick)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    angle = np.linspace(0, 2 * np.pi, 17)
    ring = np.cos(angle)[:, None] * first[:, None] + np.sin(angle)[:, None] * second[:, None]
    return _sheet(path[:, None] + radius[:, None, None] * ring, gloss)


def _cloth(rng: np.random.Generator) -> np.ndarray:
    gray = rng.choice([0.08, 0.3, 0.7]) * np.exp(rng.normal(0, 0.25))
    return to_linear(np.clip(gray * (1 + 0.35 * rng.normal(0, 1, 3)), 0.02, 0.9))


def cap(rng: np.random.Generator, shape: np.ndarray, marks: np.ndarray, skin: np.ndarray) -> list:
    """A cap with a visor, a woollen hat, or a hat with a brim all around."""
    del skin
    top, low = shape[:, 1].max(), marks[17:27, 1].max() + rng.uniform(0.8, 2.6)
    width = np.abs(marks[[0, 16], 0]).max() + 1.0
    front, back = marks[27, 2] + 0.8, shape[shape[:, 1] > low, 2].min() - 0.8
    middle, deep = (front + back) / 2, (front - back) / 2
    t, a = np.meshgrid(np.linspace(0, np.pi / 2, 16), np.linspace(0, 2 * np.pi, 49), indexing="ij")
    high = top + rng.uniform(0.6, 2.0) - low
    tilt = 1.2 * np.cos(a) * np.cos(t)  # lower at the back
    crown = np.stack(
        [width * np.cos(t) ** 0.6 * np.sin(a), low + high * np.sin(t) + tilt - 1.2,
         middle + deep * np.cos(t) ** 0.6 * np.cos(a)], -1,
    )  # fmt: skip
    color = _cloth(rng)
    found = [(_sheet(crown, 0.1, weave=2.0), color)]
    kind = rng.choice(3, p=[0.5, 0.25, 0.25])
    if kind != 1:
        span = np.linspace(-1.1, 1.1, 25) if kind == 0 else np.linspace(-np.pi, np.pi, 49)
        reach = np.linspace(0, rng.uniform(4.5, 7) if kind == 0 else rng.uniform(3.5, 7), 6)
        r, s = np.meshgrid(reach, span, indexing="ij")
        out = r * np.cos(s / 1.1 * 1.4) ** 0.5 if kind == 0 else r
        brim = np.stack(
            [(width + 0.5 * out) * np.sin(s), low + 1.2 * np.cos(s) - 1.2 - 0.12 * out,
             middle + (deep + out) * np.cos(s)], -1,
        )  # fmt: skip
        found.append((_sheet(brim, 0.1, weave=2.0), color * rng.uniform(0.6, 1.1)))
    return found


def head_scarf(
    rng: np.random.Generator, shape: np.ndarray, marks: np.ndarray, skin: np.ndarray
) -> list:
    """A scarf or hood around the face: a wide tube open to the front."""
    del skin
    top = shape[:, 1].max() + 0.8
    chin, width = marks[8, 1], np.abs(marks[[0, 16], 0]).max() + 0.5
    center = np.array([0, (marks[17:27, 1].max() + rng.uniform(1.5, 3.5) + chin - 0.6) / 2])
    inner = np.array([width * rng.uniform(0.9, 1.0), center[1] - chin + 0.6])
    t, a = np.meshgrid(np.linspace(0, 1, 14), np.linspace(0, 2 * np.pi, 65), indexing="ij")
    outer = np.array([width + 2.2, top - center[1]])
    bulge = np.sin(np.clip(t * 3, 0, 1) * np.pi / 2)
    z_front = marks[[0, 16], 2].mean() + 2.8 + 1.2 * np.sin(a) - 2.5 * np.maximum(-np.sin(a), 0) * 0
    scale = inner + (outer - inner) * bulge[..., None]
    fold = 1 + 0.02 * np.sin(9 * a + rng.uniform(0, 6)) * t
    hood = np.stack(
        [scale[..., 0] * np.cos(a) * fold, center[1] + scale[..., 1] * np.sin(a) * fold,
         z_front - t * 13], -1,
    )  # fmt: skip
    low = np.clip(-np.sin(a), 0, 1) * t * 5  # spreads over the shoulders
    hood[..., 1] -= low
    return [(_sheet(hood, 0.15, weave=1.0), _cloth(rng))]


def hand(rng: np.random.Generator, shape: np.ndarray, marks: np.ndarray, skin: np.ndarray) -> list:
    """Fingers at the chin or the cheek, and the back of the hand below."""
    del shape
    side = rng.choice([-1, 1])
    anchor = marks[8 + side * int(rng.integers(0, 6))]
    up = np.array([-side * rng.uniform(0.0, 0.7), 1.0, 0.25])
    up /= np.linalg.norm(up)
    across = np.array([side, 0.15 * side, -0.25])
    found = []
    palm = anchor + [side * 1.0, -2.0, 1.2]
    for k in range(4):
        base = palm + across * (k - 1.5) * 1.7
        length = rng.uniform(4.0, 6.5) * (0.8 if k in (0, 3) else 1.0)
        t = np.linspace(0, 1, 10)[:, None]
        bend = np.array([0, 0, -1.0]) * (1.2 * t**2) + across * 0.5 * rng.normal() * t**2
        path = base + up * length * t + bend
        radius = 0.85 * np.sqrt(np.clip(1 - np.linspace(-0.2, 1, 10) ** 6, 0, 1))
        found.append((_tube(path, radius, 0.5), skin))
    t = np.linspace(0, 1, 10)[:, None]
    back = palm - up * 9 * t + np.array([0, 0, -0.5]) * t
    wide = 3.4 * np.sqrt(np.clip(1 - np.linspace(-1, 0.4, 10) ** 4, 0, 1))
    return [*found, (_tube(back, wide, 0.5), skin)]


def thing(rng: np.random.Generator, shape: np.ndarray, marks: np.ndarray, skin: np.ndarray) -> list:
    """A cup, a phone or a microphone before the mouth, the chin or the ear."""
    del shape
    kind = rng.choice(3)
    color = _cloth(rng)
    side = rng.choice([-1, 1])
    if kind == 0:  # a cup at the lips
        base = marks[57] + [rng.normal(0, 0.6), -1.0, 3.2]
        path = base + np.array([0, -1.0, 0.35]) * np.linspace(-0.2, 8, 9)[:, None]
        found = [(_tube(path, np.linspace(3.6, 3.0, 9), 1.0), color)]
    elif kind == 1:  # a phone at the ear
        corner = marks[2 if side < 0 else 14] + [side * 0.8, rng.uniform(0, 2), 1.0]
        along = np.array([-side * 0.35, -1, 0.5])
        v, u = np.meshgrid(np.linspace(-7, 6, 5), np.linspace(-2.6, 3.2, 5), indexing="ij")
        flat = corner + v[..., None] * along + u[..., None] * np.array([0.2 * side, 0.3, 0.9])
        found = [(_sheet(flat, 1.5), np.full(3, 0.03))]
    else:  # a microphone below the mouth
        tip = marks[57] + [side * rng.uniform(0, 2), rng.uniform(-3, -1), rng.uniform(2.5, 4.5)]
        away = np.array([side * rng.uniform(0, 0.6), -1.0, 0.6])
        head = tip + away * np.linspace(-1, 2.2, 9)[:, None]
        ball = 1.9 * np.sqrt(np.clip(1 - np.linspace(-1, 0.8, 9) ** 2, 0.01, 1))
        stick = tip + away * np.linspace(1.6, 16, 6)[:, None]
        found = [
            (_tube(head, ball, 0.4), np.full(3, 0.04)),
            (_tube(stick, np.full(6, 1.0), 1.0), np.full(3, 0.02)),
        ]
    return found + (hand(rng, marks, marks - [0, 4, -2.5], skin) if rng.random() < 0.3 else [])


def face_mask(
    rng: np.random.Generator, shape: np.ndarray, marks: np.ndarray, skin: np.ndarray
) -> list:
    """A scarf or cloth mask over mouth and chin, up to the nose or hanging below the lips."""
    del shape, skin
    top = marks[29 if rng.random() < 0.5 else 57, 1] - rng.uniform(0, 0.5)
    low = marks[8, 1] - rng.uniform(1.0, 3.5)
    width = np.abs(marks[[3, 13], 0]).max() + 0.6
    t, s = np.meshgrid(np.linspace(0, 1, 14), np.linspace(-1, 1, 33), indexing="ij")
    nose = marks[33, 2] + 1.4
    ears = marks[[2, 14], 2].mean() - 1.0
    narrow = 1 - 0.25 * t**2
    y = top + (low - top) * t - 0.5 * s**2 * (1 - t)
    z = ears + (nose + 0.2 - ears) * np.sqrt(np.clip(1 - s**2, 0, 1)) * (1 - 0.18 * t)
    folds = 0.12 * np.sin(t * rng.uniform(8, 25))
    cloth = np.stack([s * width * narrow, y, z + folds], -1)
    color = rng.choice(3)
    tones = to_linear(np.array([[0.62, 0.74, 0.82], [0.92, 0.92, 0.9], [0.08, 0.08, 0.09]]))
    return [(_sheet(cloth, 0.1, weave=1.0), tones[color] if rng.random() < 0.7 else _cloth(rng))]


_Maker = Callable[[np.random.Generator, np.ndarray, np.ndarray, np.ndarray], list[Colored]]
KINDS: dict[str, tuple[_Maker, float]] = {
    "cap": (cap, 0.34),
    "head_scarf": (head_scarf, 0.14),
    "hand": (hand, 0.22),
    "thing": (thing, 0.18),
    "face_mask": (face_mask, 0.12),
}


def sample_in_front(
    rng: np.random.Generator, shape: np.ndarray, marks: np.ndarray, skin: np.ndarray
) -> tuple[str, list[Colored]]:
    """The kind drawn, "" for none (most often), and its surfaces with linear colors.

    `shape` (V,3) and `marks` (68,3) are of this head [cm], `skin` its linear color.
    """
    name = str(rng.choice(list(KINDS), p=[share for _, share in KINDS.values()]))
    if rng.random() >= IN_FRONT_SHARE:
        return "", []
    return name, KINDS[name][0](rng, shape, marks, skin)


def collar(
    rng: np.random.Generator,
    model: MorphableModel,
    fields: HeadFields,
    shape: np.ndarray,
    normals: np.ndarray,
    neckline: float,
    cloth: np.ndarray,
) -> list[Colored]:
    """A shirt's or jacket's collar: the neck's own skin pushed outward; none for half of people.

    `neckline` is the height below which the head model is painted as `cloth` [cm].
    """
    if rng.random() < 0.5:
        return []
    sheet, use = model.skin, model.skin.vertices
    y, azimuth = model.vertices[use, 1], fields.azimuth[use]
    opening, rise = rng.uniform(0.1, 0.5), rng.uniform(1.2, 2.4)
    drop = np.clip((opening - azimuth) / 0.3, 0, 1) * rng.uniform(2, 5)
    top = neckline + rise + 0.8 * azimuth / np.pi - drop
    thick = 0.35 + 0.25 * np.clip(top - y, 0, 3)
    white = to_linear(np.array([0.90, 0.91, 0.93])) * rng.uniform(0.75, 1)
    color = white if rng.random() < 0.6 else np.clip(cloth * rng.uniform(0.7, 1.5), 0, 0.9)
    below = y < neckline + rise + 3
    keep = np.minimum(top - y, y - neckline + 3.0)
    band = Occluder(
        (shape[use] + normals[use] * thick[:, None]).astype(np.float32),
        sheet.triangles[below[sheet.triangles[:, 0]]],
        (4 * keep).astype(np.float32),
        np.stack([azimuth * 3, y], -1).astype(np.float32),
        gloss=0.1,
    )
    return [(band, color)]
