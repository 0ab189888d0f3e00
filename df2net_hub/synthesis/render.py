"""One rendered face: photo, depth, mask, albedo and normals that agree at the pixel.

Kind 1 of the paper's training data (Sec. 3.2). Depth follows the conventions of `geometry`: height
toward the camera in pixels of the crop. The picture is rendered in linear light at a higher
resolution and brought down; depth, normals, mask and albedo are of the surface alone.

Through a lens at a finite distance the head is seen in true perspective, and a pixel of x and y is
shorter near the camera than far from it. Depth stays a length: the height above the plane of the
head's origin, in pixels as long as those at that plane. Normals are those of the depth map read as
weak perspective, as the networks read it.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from df2net_hub.synthesis.appearance import HeadFields, Look
from df2net_hub.synthesis.cover import cover, shade_cover
from df2net_hub.synthesis.hair import Occluder
from df2net_hub.synthesis.lids import Lids, color_beside_lashes, light_below_lids
from df2net_hub.synthesis.light import Light
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.open_sky import open_sky
from df2net_hub.synthesis.paint import Coat, gaze_direction, paint
from df2net_hub.synthesis.raster import project_points
from df2net_hub.synthesis.shade import lamps, shade_head
from df2net_hub.synthesis.shadows import lit_by
from df2net_hub.synthesis.surface import (
    EYE,
    NOTHING,
    SKIN,
    Surface,
    as_seen,
    divided,
    see_surface,
    weighed,
)


@dataclass(frozen=True)
class Scene:
    """All that was drawn for one picture.

    Attributes:
        shape: (V,3) head vertices [cm] in the head's frame.
        rotation: (3,3) head frame to camera frame.
        center: (2,) point of the rotated head [cm] that lies at the crop's middle.
        side: length that the crop's side covers [cm].
        distance: camera distance [cm]; infinity is weak perspective.
        look, light: colors and illumination.
        wrinkles: (h,h) displacement over the face tile [cm].
        cavities: (h,h) float32 share of the light that furrows leave there.
        occluders: hair and glasses with their linear colors.
        gloss: strength of the skin's specular reflection.
        lids: how they shade and line the eyes.
        shadows: whether direct lights cast shadows.
    """

    shape: np.ndarray
    rotation: np.ndarray
    center: np.ndarray
    side: float
    distance: float
    look: Look
    light: Light
    wrinkles: np.ndarray
    cavities: np.ndarray
    occluders: list[tuple[Occluder, np.ndarray]]
    gloss: float
    lids: Lids
    shadows: bool = True


@dataclass(frozen=True)
class Render:
    """Maps of one picture, all (S,S,...).

    Attributes:
        image: float32 linear RGB before the camera; 0 where `coverage` is 0.
        coverage: float32 share of the pixel that head or hair covers.
        depth_px: float32 height toward the camera [px of the S grid], any offset; NaN off the face.
        normals: float32 unit normals of `depth_px`, x right, y up, z toward the camera; NaN where
            it is.
        front_px: float32 height [px] of whatever is seen, hair too; NaN where that is nothing.
        mask: bool, the face where nothing but glasses stands before it.
        albedo: float32 linear RGB.
        landmarks: (68,2) float32 [px], of the head model, hidden ones included.
    """

    image: np.ndarray
    coverage: np.ndarray
    depth_px: np.ndarray
    normals: np.ndarray
    front_px: np.ndarray
    mask: np.ndarray
    albedo: np.ndarray
    landmarks: np.ndarray


def project(points: np.ndarray, scene: Scene, size: int) -> np.ndarray:
    """(V,3) points [cm] of the head -> x right, y down, z toward the camera [px of size]."""
    px_per_cm = size / scene.side
    numbers = [*scene.center, px_per_cm, (size - 1) / 2, 1 / scene.distance]
    return project_points(
        np.ascontiguousarray(points, np.float32),
        scene.rotation.astype(np.float32),
        np.array(numbers, np.float32),
    )


def render(
    model: MorphableModel,
    fields: HeadFields,
    scene: Scene,
    noise: np.ndarray,
    size: int,
    supersample: float,
) -> Render:
    """Render `scene` at `size` x `size`, the photo through `supersample` times as many rows."""
    fine = int(round(size * supersample))
    px_per_cm = fine / scene.side
    points = project(scene.shape, scene, fine)
    wrinkles_px = (scene.wrinkles * px_per_cm).astype(np.float32)
    surface = see_surface(model, points, wrinkles_px, scene.cavities, fine)
    occluders = [one for one, _ in scene.occluders]
    in_front = [project(one.vertices, scene, fine) for one in occluders]
    covered = cover(occluders, in_front, surface.height, noise[2])
    coat = paint(model, fields, scene.look, scene.gloss, surface, noise)

    lit = lit_by(scene.light.directions, covered.solid, covered.thin, px_per_cm)
    if not scene.shadows:
        lit = np.ones_like(lit)
    eyes = surface.kind == EYE
    sky, bent = open_sky(surface.height, covered.solid, surface.normal, px_per_cm)
    below = light_below_lids(eyes, scene.lids, px_per_cm)
    sky, lit = sky * below, lit * below
    colored = color_beside_lashes(eyes, surface.kind == SKIN, scene.lids, px_per_cm)
    coat = replace(coat, albedo=coat.albedo * colored[..., None])
    light = lamps(scene.light)
    image = np.zeros((fine, fine, 3), np.float32)
    shade_head(
        surface.kind,
        (surface.kind != NOTHING) & ~covered.seen,
        surface.normal,
        surface.height,
        covered.solid,
        np.float32(1 / (scene.distance * px_per_cm)),
        coat.albedo,
        coat.gloss,
        sky,
        bent,
        lit,
        (scene.rotation @ gaze_direction(scene.look.gaze)).astype(np.float32),
        light.sky,
        light.directions,
        light.halves,
        light.colors,
        light.mirror,
        light.glints,
        image,
    )
    image *= surface.cavity[..., None]
    shade_cover(covered, scene.occluders, in_front, noise[3], light, lit, image)
    front = np.maximum(covered.solid, -np.inf if covered.thin is None else covered.thin)
    landmarks = project(scene.shape[model.landmarks68], scene, size)[:, :2]
    return _bring_down(image, front, surface, covered.hidden, coat, landmarks, size)


def _bring_down(
    image: np.ndarray,
    front: np.ndarray,
    surface: Surface,
    hidden: np.ndarray,
    coat: Coat,
    landmarks: np.ndarray,
    size: int,
) -> Render:
    """Means over the fine pixels of each pixel; depth and normals over the face's share of them."""
    fine = len(image)
    seen = surface.height, surface.normal, surface.face, hidden, front
    if fine == size:
        return _render_of(image, coat.albedo, landmarks, as_seen(*seen))

    def area(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, (size, size), interpolation=cv2.INTER_AREA)

    # Means over pieces of pixels lie off the middle of the pixel, by this much in x and y [px].
    ramp = np.tile(np.arange(fine, dtype=np.float32), (fine, 1))
    middles = (np.arange(size) + 0.5) * fine / size - 0.5
    drift = ((area(ramp)[0] - middles) * size / fine).astype(np.float32)
    sums = (area(one) for one in weighed(*seen))
    maps = divided(*sums, drift, np.float32(size / fine))
    return _render_of(area(image), area(coat.albedo), landmarks, maps)


def _render_of(
    image: np.ndarray, albedo: np.ndarray, landmarks: np.ndarray, maps: tuple[np.ndarray, ...]
) -> Render:
    depth_px, normals, front_px, mask, coverage = maps
    return Render(
        image=image,
        coverage=coverage,
        depth_px=depth_px,
        normals=normals,
        front_px=front_px,
        mask=mask,
        albedo=albedo,
        landmarks=landmarks,
    )
