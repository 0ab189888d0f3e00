"""A photo that was reconstructed, as it might look from another side and in another light.

Turned the way of face profiling (Zhu et al., Face Alignment Across Large Poses, CVPR 2016): the
picture is a surface, the face as it was reconstructed and all around it falling back from its rim,
which is turned and seen anew. Lit the way of ratio images: by how much brighter each pixel's normal
would be in the new light than it is in the photo's own. So the look is a photograph's, while
shading and outline follow the depth that is taught exactly, however wrong it may be about the
person.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.faces import FaceBox, crop_face
from df2net_hub.geometry import CROP_SIZE, rotation
from df2net_hub.pipelines.face_mask import largest_component
from df2net_hub.result import Face
from df2net_hub.shading import harmonics
from df2net_hub.srgb import GAMMA
from df2net_hub.synthesis.light import Light, sample_light
from df2net_hub.synthesis.raster import grid_triangles, interpolate, rasterize, sample_texture

WIDTH = 1.6  # of the picture that is turned, in sides of the face's crop
YAW_DEG, PITCH_DEG, ROLL_DEG = 16.0, 6.0, 3.0  # deviations of the turns
MOST_YAW_DEG = 35.0  # beyond it the head's other side would have to be seen
PIVOT = 0.25  # the neck's axis behind the face's mean height, in sides of the crop
ROUGH = 36  # of the crop's side is the width of teeth that are taken off the outline
FALL, DEEPEST = 0.8, 0.35  # slope beyond the rim, and where it ends, in sides of the crop
LEAST_RATIO, MOST_RATIO = 0.3, 3.0  # of new to old light; beyond it noise and clipping would show
STRENGTH = (0.4, 1.0)
LEAST_LIGHT = 1e-2  # linear: black photos and lights from behind divide by it
DARKEST = 0.1  # of the light on what faces the camera: no part of a face is darker
# Gaussians that carry light beyond the face, in sides of the crop, with weights; and the mean's.
REACHES, FAR = ((0.02, 16.0), (0.08, 1.0)), 0.02
TRIMMED = 0.2  # share of the skin, paint and lips and beards, that may not tell the light


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture (W,W,3) uint8 and what is known of the face in it, on one grid.

    Attributes:
        mask: (W,W) bool, the face.
        height: (W,W) float32 toward the camera [px of this grid]; NaN off the face.
        normals: (W,W,3) float32, unit; 0 off the face.
    """

    picture: np.ndarray
    mask: np.ndarray
    height: np.ndarray
    normals: np.ndarray


def scene(photo: np.ndarray, face: Face, size: int) -> Scene:
    """The photo (H,W,3) uint8 around `face`, whose own crop is `size` px wide in it."""
    width = round(WIDTH * size)
    side = face.box.side * width / size
    off = (face.box.side - side) / 2
    box = FaceBox(face.box.x + off, face.box.y + off, side, face.box.score, face.box.found_by)
    start = (width - size) // 2
    inside = slice(start, start + size)

    def placed(values: np.ndarray, empty: float) -> np.ndarray:
        out = np.full((width, width, *values.shape[2:]), empty, np.float32)
        out[inside, inside] = values
        return out

    share = _area(face.mask, size)
    known = share > 0.5
    weight = np.maximum(share, 1e-6)
    height = _area(np.where(face.mask, face.depth, 0), size) / weight * (size / CROP_SIZE)
    normals = _unit(_area(np.where(face.mask[..., None], face.normals, 0), size))
    return Scene(
        crop_face(photo, box, width),
        placed(known, 0) > 0,
        placed(np.where(known, height, np.nan), np.nan),
        placed(np.where(known[..., None], normals, 0), 0),
    )


def turned_photo(
    photo: np.ndarray, face: Face, size: int, rng: np.random.Generator, panoramas: np.ndarray
) -> Scene:
    """A photo (H,W,3) uint8 with its face, from a random side in a random light.

    Args:
        photo: (H,W,3) uint8.
        face: its reconstruction.
        size: about the side of the face's crop in what comes out [px].
        rng: source of all randomness.
        panoramas: (N,h,w,3) linear radiance.
    """
    before = scene(photo, face, size)
    turn = sample_turn(rng)
    new = sample_light(rng, panoramas)
    return relit(turned(before, turn), turn, light_of(before), new, rng.uniform(*STRENGTH))


def sample_turn(rng: np.random.Generator) -> np.ndarray:
    """A rotation (3,3) of the head before the camera, as far as a photo can be turned."""
    yaw = np.clip(rng.normal(0, YAW_DEG), -MOST_YAW_DEG, MOST_YAW_DEG)
    return rotation(*np.radians([yaw, rng.normal(0, PITCH_DEG), rng.normal(0, ROLL_DEG)]))


def turned(seen: Scene, turn: np.ndarray) -> Scene:
    """The scene after its head, and all else with it, was turned by `turn` (3,3)."""
    width = len(seen.mask)
    side = width / WIDTH
    height = fall_back(seen.height, seen.mask, side)
    rows, columns = np.indices(height.shape, np.float32)
    middle = (width - 1) / 2
    pivot = float(height[seen.mask].mean()) - PIVOT * side
    around = np.stack([columns - middle, middle - rows, height - pivot], -1).reshape(-1, 3)
    x, y, z = (around @ turn.T.astype(np.float32)).T
    points = np.stack([x + middle, middle - y, z], -1)
    triangles = grid_triangles(width, width)
    z_buffer, index, weights = rasterize(points, triangles, width, cull=True)
    hit = index >= 0
    corners = triangles[index[hit]]
    is_face = seen.mask.reshape(-1)[corners].all(1)
    places = np.stack([columns, rows], -1).reshape(-1, 2)
    places = interpolate(places, corners, weights[hit])
    colors = sample_texture(seen.picture, places[:, 0], places[:, 1])
    # What no part of the surface covers is behind the head: the photo's own background.
    picture = cv2.GaussianBlur(seen.picture, (0, 0), side / 32).astype(np.float32)
    picture[hit] = colors
    mask = np.zeros_like(seen.mask)
    mask[hit] = is_face
    normals = np.zeros_like(seen.normals)
    unit = _unit(interpolate(seen.normals.reshape(-1, 3), corners, weights[hit]) @ turn.T)
    normals[hit] = unit * is_face[:, None]
    mask &= normals[..., 2] > 0
    # Where the rim's rough height is seen from the side, its outline is a saw.
    teeth = 2 * round(side / ROUGH / 2) + 1
    mask &= cv2.medianBlur(mask.astype(np.uint8), teeth) > 0
    mask = largest_component(mask)
    return Scene(
        np.rint(picture).clip(0, 255).astype(np.uint8),
        mask,
        np.where(mask, z_buffer, np.float32(np.nan)),
        (normals * mask[..., None]).astype(np.float32),
    )


def fall_back(height: np.ndarray, mask: np.ndarray, side: float) -> np.ndarray:
    """Height (W,W) with the mask's rim carried on outward, falling back to a plane behind."""
    outside = (~mask).astype(np.uint8)
    distance, labels = cv2.distanceTransformWithLabels(
        outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rim = np.zeros(labels.max() + 1, np.float32)
    rim[labels[mask]] = height[mask]
    nearest = rim[labels]
    smooth = cv2.GaussianBlur(nearest, (0, 0), side / 24)
    near = np.exp(-distance / (side / 24))
    deepest = DEEPEST * side
    fall = deepest * (1 - np.exp(-FALL * distance / deepest))
    return np.where(mask, height, near * nearest + (1 - near) * smooth - fall).astype(np.float32)


def relit(after: Scene, turn: np.ndarray, light: np.ndarray, new: Light, strength: float) -> Scene:
    """The turned scene `after` in another light.

    Args:
        after: the scene; its picture still has the shading of before it was turned.
        turn: (3,3), how it was turned.
        light: (9,) harmonics of the light of before, see `light_of`.
        new: the other light.
        strength: [0,1] power of the ratio of the two; 0 leaves the photo as it is.
    """
    mask = after.mask
    ratio = np.ones_like(after.normals)
    front = harmonics(np.array([0, 0, 1], np.float32)) @ light
    before = harmonics(after.normals[mask] @ turn.astype(np.float32)) @ light
    before = np.maximum(before, max(DARKEST * front, LEAST_LIGHT))[:, None]
    shade = irradiance(after.normals[mask], new)
    shade *= before.mean() / shade.mean()
    ratio[mask] = (shade / before).clip(LEAST_RATIO, MOST_RATIO) ** strength
    # Hair, ears and neck have no normals: the light near by goes on there.
    ratio = np.where(mask[..., None], ratio, _spread(ratio, mask))
    linear = (after.picture.astype(np.float32) / 255) ** GAMMA * ratio
    picture = np.rint(linear.clip(0, 1) ** (1 / GAMMA) * 255).astype(np.uint8)
    return Scene(picture, mask, after.height, after.normals)


def _spread(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Values (W,W,3) on the mask carried on around it: first those near by, far off their mean."""
    share = mask.astype(np.float32)
    total = np.full(mask.shape, FAR, np.float32)
    weighted = FAR * np.broadcast_to(values[mask].mean(0), values.shape)
    for reach, weight in REACHES:
        blur = reach * len(mask) / WIDTH
        total += weight * cv2.GaussianBlur(share, (0, 0), blur)
        weighted = weighted + weight * cv2.GaussianBlur(values * share[..., None], (0, 0), blur)
    return weighted / total[..., None]


def irradiance(normals: np.ndarray, light: Light) -> np.ndarray:
    """(N,3) light on unit `normals` (N,3), without shadows, above 0."""
    total = np.maximum(harmonics(normals.astype(np.float32)) @ light.sh.T, 0)
    for direction, color in zip(light.directions, light.colors, strict=True):
        total = total + np.maximum(normals @ direction, 0)[:, None] * color
    return np.maximum(total, LEAST_LIGHT)


def light_of(seen: Scene) -> np.ndarray:
    """(9,) harmonics of the light in a photo, in units of the skin's albedo, which is taken as one.

    Least squares over the face (Eq. 4 with a constant albedo), twice again without the pixels that
    fit worst: brows, lips and beards tell more of paint than of light.
    """
    gray = ((seen.picture[seen.mask].astype(np.float32) / 255) ** GAMMA).mean(1)
    basis = harmonics(seen.normals[seen.mask])
    keep = np.ones(len(gray), bool)
    ridge = 1e-2 * np.trace(basis.T @ basis) / 9 * np.diag([0.0] + [1.0] * 8)
    for _ in range(3):
        some = basis[keep]
        light = np.linalg.solve(some.T @ some + ridge, some.T @ gray[keep])
        off = np.abs(basis @ light - gray)
        keep = off <= np.quantile(off, 1 - TRIMMED)
    return light


def cropped(seen: Scene, box: FaceBox, size: int) -> Scene:
    """What `box` shows of a scene, at `size`; heights in px of the new grid."""
    scale = box.side / size
    start = 0.5 * scale - 0.5
    matrix = np.array([[scale, 0, box.x + start], [0, scale, box.y + start]])

    def cut(values: np.ndarray) -> np.ndarray:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(values.astype(np.float32), matrix, (size, size), flags=flags)

    share = cut(seen.mask)
    mask = share > 0.5
    height = cut(np.where(seen.mask, seen.height, 0)) / np.maximum(share, 1e-6) / scale
    normals = _unit(cut(seen.normals)) * mask[..., None]
    return Scene(crop_face(seen.picture, box, size), mask, np.where(mask, height, np.nan), normals)


def _area(values: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(values.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
