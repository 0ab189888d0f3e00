"""Skins taken from photographs: a face's own color, without its light, in the layout of a head.

A photo's face is reconstructed by our own pipeline; the light that its normals and hollows explain
is divided out; points found in the photo and known on the head say where each texel lies in the
photo; what the photo does not show is the painted skin that is nearest in tone, carried over to the
photo's. Depth and truth of what is rendered are the head's, so an error of the reconstruction costs
a shadow that stays in the color, and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from df2net_hub.assets.creases import creases
from df2net_hub.assets.skins import JPEG_QUALITY, texels_of
from df2net_hub.photos import PhotoError, load_photo
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.result import Face
from df2net_hub.set_manifest import replace_file
from df2net_hub.shading import harmonics
from df2net_hub.srgb import GAMMA
from df2net_hub.synthesis.appearance import DEEPEST_CREASE_CM
from df2net_hub.synthesis.appearance import PHOTO_HEIGHT as HEIGHT
from df2net_hub.synthesis.asset_folder import creases_path, skin_paths
from df2net_hub.synthesis.face_map import FaceMap, face_map
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.open_sky import open_sky
from df2net_hub.synthesis.skin import cheek_tone, skin_library
from df2net_hub.turned_photos import Scene, light_of

# Points of MediaPipe's face mesh: the openings of eyes and mouth, in order, and what tells a smile.
EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
MOUTH = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
EYE_CORNERS, MOUTH_CORNERS, INNER_LIPS = (33, 263), (61, 291), (13, 14)
OPEN_COUNTS = 1.2  # of an open mouth beside a wide one
MOST_SMILE = 0.87  # see `smile`; beyond it the folds beside the mouth are deep, and their shadows
# Lengths in px of the crop.
EYE_RIM, MOUTH_RIM = 5, 3  # around the openings: lashes, teeth and what lies a little wrong
EDGE_FROM, EDGE_TO = 7, 31  # from the mask's outline: no skin before, all of it beyond
SHADE_BLUR = 14.0  # light is soft; a sharper quotient would print the normals' errors
LEAST_SHADE, MOST_SHADE = 0.6, 1.15  # of the light on the brightest fifth of the face
HOLLOW_BLUR = 3.0  # what a hollow keeps dark follows the relief more closely
GIVEN_BACK = 0.4  # of the light on the skin around a hollow: a skin's albedo
FACING = (0.2, 0.45)  # share toward the camera of a texel's normal: none before, all beyond
FRONT = 0.15  # of the normals of the texels that are looked up
AROUND_CM = (0.5, 0.5, 1.5)  # beyond the points to the sides, below and above
WARP_GRID = (128, 96)  # on which the thin-plate spline is solved; between, cubic
BENDING = 0.02  # smoothing of the spline: what a point is off is not followed
REACHES = ((10.0, 30.0), (40.0, 1.0))  # Gaussians [texels] that carry the tone on, and weights
FAR = 1e-3
MOST_CARRIED = 0.5  # of the logarithm, around the mean
DARKEST = 0.002


@dataclass(frozen=True, eq=False)
class Front:
    """The front of a head in its layout.

    Attributes:
        points: (P,2) where the photo's points lie on it, seen from the front [cm].
        rows, columns: (N,) its texels. positions: (N,2) of them [cm].
        facing: (N,) [0,1] how much of a texel a frontal photo tells.
        face: of the head, to tell tones.
    """

    points: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    positions: np.ndarray
    facing: np.ndarray
    face: FaceMap


def front_of(model: MorphableModel, table: np.ndarray) -> Front:
    """The front of `model`, with its jaw a little open as in the table, so that lips are apart.

    Args:
        model: the head.
        table: (P,5) vertices a, b, c and shares of a and b of each point, see `read_points`.
    """
    still = np.zeros(len(model.identity))
    jaw = np.array([0.25 * (name == "jawOpen") for name in model.expression_names])
    shape = model.shape(still, jaw).astype(np.float64)
    corners, shares = table[:, :3].astype(int), table[:, 3:]
    shares = np.column_stack([shares, 1 - shares.sum(1)])
    points = np.einsum("pc,pcx->px", shares, shape[corners])[:, :2]
    texels, normals, covered = texels_of(model, shape, HEIGHT)
    low = points.min(0) - AROUND_CM[:2]
    high = points.max(0) + [AROUND_CM[0], AROUND_CM[2]]
    shown = (normals[:, 2] > FRONT) & ((texels[:, :2] > low) & (texels[:, :2] < high)).all(1)
    rows, columns = (index[shown] for index in np.nonzero(covered))
    facing = np.clip((normals[shown, 2] - FACING[0]) / (FACING[1] - FACING[0]), 0, 1)
    return Front(points, rows, columns, texels[shown, :2], facing, face_map(model))


def smile(points: np.ndarray) -> float:
    """How wide and open a mouth is, over the distance between the outer corners of the eyes."""

    def apart(pair: tuple[int, int]) -> float:
        return float(np.linalg.norm(points[pair[0]] - points[pair[1]]))

    return (apart(MOUTH_CORNERS) + OPEN_COUNTS * apart(INNER_LIPS)) / apart(EYE_CORNERS)


def photo_skin(
    pipe: DF2NetPipeline,
    photo: np.ndarray,
    points: np.ndarray,
    front: Front,
    painted: list[np.ndarray],
    most_smile: float = MOST_SMILE,
) -> np.ndarray | str:
    """The skin (HEIGHT, 2 HEIGHT, 3) uint8 sRGB of the one face of a photo, or why there is none.

    Args:
        pipe: reconstructs the face.
        photo: (H,W,3) uint8 RGB.
        points: (P,2) of the face mesh in it [px].
        front: of the head that is to wear it.
        painted: skins (HEIGHT, 2 HEIGHT, 3) linear for what the photo does not show.
        most_smile: faces that smile more are refused.
    """
    if smile(points) > most_smile:
        return "smiles too much"
    faces = pipe(photo).faces
    if len(faces) != 1:
        return "several faces" if faces else "no face found"
    face = faces[0]
    size = len(face.mask)
    in_crop = (points + 0.5 - [face.box.x, face.box.y]) * size / face.box.side - 0.5
    if not face.mask[tuple(np.rint(in_crop.mean(0)).astype(int)[::-1].clip(0, size - 1))]:
        return "points that lie off the face"
    places = places_in_photo(front, in_crop)
    color, share = _look_up(albedo(face), places), _look_up(skin_share(face, in_crop), places)
    texture = np.zeros((HEIGHT, 2 * HEIGHT, 3), np.float32)
    weight = np.zeros((HEIGHT, 2 * HEIGHT), np.float32)
    texture[front.rows, front.columns] = color.clip(DARKEST, 1)
    weight[front.rows, front.columns] = share * front.facing
    if not (weight > 0.5).any():
        return "nothing of the skin is seen"
    whole = _carried_on(texture, weight, _nearest_in_tone(painted, texture, weight, front.face))
    return np.rint(whole.clip(0, 1) ** (1 / GAMMA) * 255).astype(np.uint8)


def convert_photos(
    pipe: DF2NetPipeline,
    paths: list[Path],
    points: dict[str, np.ndarray],
    front: Front,
    painted: list[np.ndarray],
    folder: Path,
    most_smile: float = MOST_SMILE,
    on_photo: Callable[[], object] = lambda: None,
) -> tuple[int, dict[str, str]]:
    """Write `folder/NAME.jpg` for each photo; how many are there then, and path -> why not.

    Its creases come with it, `folder/creases/NAME.png`. A file is written whole or not at all, and
    not again if it is there; one bad photo does not stop the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there, refused = 0, {}
    for path in paths:
        goal = folder / f"{path.stem}.jpg"
        if not goal.is_file():
            made = _of_file(pipe, path, points, front, painted, most_smile)
            if isinstance(made, str):
                refused[str(path)] = made
            else:
                _write(made, front.face, goal)
        there += goal.is_file()
        on_photo()
    return there, refused


def _write(skin: np.ndarray, face: FaceMap, goal: Path) -> None:
    """A skin, and before it the furrows that its dark lines were."""
    lighter, depth = creases(skin, face)
    levels = np.rint(depth / DEEPEST_CREASE_CM * 255).astype(np.uint8)
    furrows = creases_path(goal)
    furrows.parent.mkdir(exist_ok=True)
    replace_file(furrows, cv2.imencode(".png", levels)[1].tobytes(), "assets")
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    encoded = cv2.imencode(".jpg", np.ascontiguousarray(lighter[..., ::-1]), quality)[1]
    replace_file(goal, encoded.tobytes(), "assets")


def _of_file(
    pipe: DF2NetPipeline,
    path: Path,
    points: dict[str, np.ndarray],
    front: Front,
    painted: list[np.ndarray],
    most_smile: float,
) -> np.ndarray | str:
    if path.name not in points:
        return "no points are given of it"
    try:
        photo = load_photo(path)
    except PhotoError as error:
        return f"{error}"
    return photo_skin(pipe, photo, points[path.name], front, painted, most_smile)


def painted_skins(data: str | Path, face: FaceMap) -> list[np.ndarray]:
    """The skins (HEIGHT, 2 HEIGHT, 3) float32 linear of a folder of ingredients.

    As they are rendered: with the eyes, brows and lips of their makers removed, which would shine
    through where a photo's forehead is compared with them.

    Raises:
        FileNotFoundError: it has none.
        ValueError: one cannot be read.
    """
    paths, skins = skin_paths(data), []
    for path in paths:
        picture = cv2.imread(str(path))
        if picture is None:
            raise ValueError(f"{path} is not a picture that can be read")
        small = cv2.resize(picture, (2 * HEIGHT, HEIGHT), interpolation=cv2.INTER_AREA)
        skins.append((small[..., ::-1].astype(np.float32) / 255) ** GAMMA)
    if not skins:
        raise FileNotFoundError(
            f"no skins in {data}: what a photo does not show is taken from one; see docs/assets.md"
        )
    return list(skin_library(skins, tuple(path.stem for path in paths), face).skins)


def albedo(face: Face) -> np.ndarray:
    """(S,S,3) linear color of a face's crop without the light that normals and hollows explain."""
    size = len(face.mask)
    light = light_of(Scene(face.crop, face.mask, face.depth, face.normals))
    shade = (harmonics(face.normals.reshape(-1, 3).astype(np.float32)) @ light).reshape(size, size)
    level = np.quantile(shade[face.mask], 0.8)
    shade = np.where(face.mask, (shade / level).clip(LEAST_SHADE, MOST_SHADE), 0)
    inside = cv2.GaussianBlur(face.mask.astype(np.float32), (0, 0), SHADE_BLUR)
    soft = cv2.GaussianBlur(shade.astype(np.float32), (0, 0), SHADE_BLUR)
    shade = np.where(face.mask, soft / np.maximum(inside, 1e-3) * _left_by_hollows(face), 1)
    linear = (face.crop.astype(np.float32) / 255) ** GAMMA
    return np.asarray((linear / shade[..., None]).clip(0, 1).astype(np.float32))


def _left_by_hollows(face: Face) -> np.ndarray:
    """(S,S) share of the light around that reaches a crop's skin, 1 where nothing rises near it."""
    height = np.where(face.mask, face.depth, -np.inf).astype(np.float32)
    normals = np.ascontiguousarray(face.normals, np.float32)
    share, _ = open_sky(height, height, normals, 10 / face.mm_per_px)
    share = cv2.GaussianBlur(share, (0, 0), HOLLOW_BLUR)
    return share / (1 - GIVEN_BACK * (1 - share))


def skin_share(face: Face, points: np.ndarray) -> np.ndarray:
    """(S,S) [0,1]: 1 on skin well inside the mask, 0 in eyes and mouth; `points` in the crop."""
    inner = cv2.distanceTransform(face.mask.astype(np.uint8), cv2.DIST_L2, 5)
    share = np.clip((inner - EDGE_FROM) / (EDGE_TO - EDGE_FROM), 0, 1)
    for ring, rim in ((EYES[0], EYE_RIM), (EYES[1], EYE_RIM), (MOUTH, MOUTH_RIM)):
        hole = np.zeros(face.mask.shape, np.float32)
        cv2.fillPoly(hole, [np.rint(points[list(ring)]).astype(np.int32)], 1.0)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
        share = share * (1 - cv2.GaussianBlur(cv2.dilate(hole, disc), (0, 0), 1.5))
    return np.asarray(share.astype(np.float32))


def places_in_photo(front: Front, points: np.ndarray) -> np.ndarray:
    """(N,2) where each texel of `front` lies in a picture whose points (P,2) are given [px]."""
    from scipy.interpolate import RBFInterpolator  # of the extra `assets`

    low, high = front.positions.min(0), front.positions.max(0)
    across, up = (np.linspace(low[k], high[k], WARP_GRID[1 - k]) for k in (0, 1))
    nodes = np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)
    spline = RBFInterpolator(front.points, points, kernel="thin_plate_spline", smoothing=BENDING)
    warped = spline(nodes).reshape(*WARP_GRID, 2).astype(np.float32)
    steps = np.array(WARP_GRID[::-1]) - 1
    return _look_up(warped, (front.positions - low) / (high - low) * steps)


def _look_up(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(N,...) values of a picture at places (N,2), column and row; cv2 takes no long rows."""
    count = len(places)
    padded = np.pad(places, ((0, -count % 1024), (0, 0))).astype(np.float32).reshape(-1, 1024, 2)
    flags = cv2.INTER_CUBIC
    found = cv2.remap(picture, padded, None, flags, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(-1, *picture.shape[2:])[:count]


def _nearest_in_tone(
    painted: list[np.ndarray], texture: np.ndarray, weight: np.ndarray, face: FaceMap
) -> np.ndarray:
    tone = np.median(texture[weight > 0.9 * weight.max()], axis=0).mean()
    tones = np.array([cheek_tone(skin, face).mean() for skin in painted])
    return painted[int(np.argmin(np.abs(np.log(tones / tone))))]


def _carried_on(texture: np.ndarray, weight: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """`texture` where `weight` is 1, else `painted` times what the two differ by near there."""
    sure = (weight > 0.5)[..., None].astype(np.float32)
    ratio = np.log(np.maximum(texture, DARKEST) / np.maximum(painted, DARKEST)) * sure
    mean = ratio.sum((0, 1)) / sure.sum()
    total, weighted = np.full_like(sure, FAR), np.zeros_like(texture) + FAR * mean
    for tile in (np.s_[:, :HEIGHT], np.s_[:, HEIGHT:]):
        for reach, strength in REACHES:
            near = cv2.GaussianBlur(sure[tile], (0, 0), reach)[..., None]
            total[tile] += strength * near
            weighted[tile] += strength * cv2.GaussianBlur(ratio[tile], (0, 0), reach)
    carried = painted * np.exp((weighted / total).clip(mean - MOST_CARRIED, mean + MOST_CARRIED))
    return np.asarray(carried + weight[..., None] * (texture - carried))
