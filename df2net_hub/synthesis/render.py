"""One rendered face: photo, depth, mask, albedo and normals that agree at the pixel.

Kind 1 of the paper's training data (Sec. 3.2). Depth follows the conventions of `geometry`: height
toward the camera in pixels of the crop. The picture is rendered in linear light at a higher
resolution and brought down; depth, mask and albedo are of the surface alone.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.shading import harmonics
from df2net_hub.synthesis.appearance import HeadFields, Look, noise_at, paint
from df2net_hub.synthesis.hair import Occluder
from df2net_hub.synthesis.light import Light, look_up
from df2net_hub.synthesis.morphable import FACE_PARTS, MorphableModel
from df2net_hub.synthesis.raster import interpolate, rasterize, sample_texture, vertex_normals


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
        occluders: hair and glasses with their linear colors.
        gloss: strength of the skin's specular reflection.
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
    occluders: list[tuple[Occluder, np.ndarray]]
    gloss: float
    shadows: bool = True


@dataclass(frozen=True)
class Render:
    """Maps of one picture, all (S,S,...).

    Attributes:
        image: float32 linear RGB before the camera; 0 where `coverage` is 0.
        coverage: float32 share of the pixel that head or hair covers.
        depth_px: float32 height toward the camera [px of the S grid], any offset; NaN off the face.
        mask: bool, the face where nothing but glasses stands before it.
        albedo: float32 linear RGB.
        landmarks: (68,2) float32 [px], of the head model, hidden ones included.
    """

    image: np.ndarray
    coverage: np.ndarray
    depth_px: np.ndarray
    mask: np.ndarray
    albedo: np.ndarray
    landmarks: np.ndarray


def project(points: np.ndarray, scene: Scene, size: int) -> np.ndarray:
    """(V,3) points [cm] of the head -> x right, y down, z toward the camera [px of size]."""
    camera = points @ scene.rotation.T.astype(np.float32)
    px_per_cm = size / scene.side
    scale = 1.0 / (1.0 - camera[:, 2:] / scene.distance) if np.isfinite(scene.distance) else 1.0
    plane = (camera[:, :2] - scene.center) * scale * [1, -1] * px_per_cm + (size - 1) / 2
    return np.column_stack([plane, camera[:, 2] * px_per_cm]).astype(np.float32)


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
    points = project(scene.shape, scene, fine)
    z, triangle_id, weights = rasterize(points, model.triangles, fine, cull=True)
    covered = np.flatnonzero(triangle_id.ravel() >= 0)
    triangles = triangle_id.ravel()[covered]
    corners, weights = model.triangles[triangles], weights.reshape(-1, 3)[covered]
    normals = vertex_normals(scene.shape, model.triangles) @ scene.rotation.T.astype(np.float32)
    attributes = _interpolate_fields(model, fields, normals, triangles, corners, weights)
    bump_cm = sample_texture(
        scene.wrinkles[..., None],
        attributes["uv"][:, 0] * scene.wrinkles.shape[1] - 0.5,
        (1 - attributes["uv"][:, 1]) * scene.wrinkles.shape[0] - 0.5,
    )[:, 0] * (attributes["is_face"] * (attributes["uv"][:, 0] < 1))
    normal = _unit(attributes["normal"])
    bump = np.zeros(fine * fine, np.float32)
    bump[covered] = bump_cm * np.clip(normal[:, 2], 0, 1) * fine / scene.side
    depth = z.ravel().copy()
    depth[covered] += bump[covered]
    normal = _bumped(normal, bump.reshape(fine, fine), covered)
    albedo = paint(scene.look, attributes, noise)
    occlusion = _ambient_occlusion(depth.reshape(fine, fine), fine / scene.side).ravel()[covered]
    shadow = _shadows(scene, depth, covered, fine)
    if not scene.shadows:
        shadow = np.ones_like(shadow)
    eye = attributes["is_eye"] > 0.5
    gloss = np.where(eye, 6.0, scene.gloss) * (attributes["canonical"][:, 1] > scene.look.neckline)
    color = _shade(
        albedo, normal, scene.light, occlusion, shadow, gloss, np.where(eye, 200.0, 18.0)
    )
    face = model.triangle_flags(FACE_PARTS)[triangles]

    image = np.zeros((fine * fine, 3), np.float32)
    image[covered] = color
    alpha = np.zeros(fine * fine, np.float32)
    alpha[covered] = 1
    face_map = np.zeros(fine * fine, bool)
    face_map[covered] = face
    hidden = _draw_occluders(scene, noise, depth, image, alpha, fine)
    albedo_map = np.zeros((fine * fine, 3), np.float32)
    albedo_map[covered] = albedo
    return _bring_down(
        image, alpha, face_map & ~hidden, face_map, depth, albedo_map, fine, size,
        project(scene.shape[model.landmarks68], scene, size)[:, :2],
    )  # fmt: skip


def _interpolate_fields(
    model: MorphableModel,
    fields: HeadFields,
    normals: np.ndarray,
    triangles: np.ndarray,
    corners: np.ndarray,
    weights: np.ndarray,
) -> dict[str, np.ndarray]:
    is_face = model.vertex_flags(("face_narrow",)).astype(np.float32)
    per_vertex = {
        "canonical": fields.canonical,
        "normal": normals,
        "brow": fields.brow,
        "beard": fields.beard,
        "is_eye": fields.is_eye,
        "is_teeth": fields.is_teeth,
        "is_mouth": fields.is_mouth,
        "is_face": is_face,
    }
    stacked = np.column_stack(list(per_vertex.values())).astype(np.float32)
    values = interpolate(stacked, corners, weights)
    attributes, column = {}, 0
    for name, array in per_vertex.items():
        width = array.shape[1] if array.ndim == 2 else 1
        attributes[name] = values[:, column : column + width] if width > 1 else values[:, column]
        column += width
    attributes["uv"] = interpolate(model.uv, model.uv_triangles[triangles], weights)
    return attributes


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _bumped(normal: np.ndarray, bump: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Normals of the surface raised by `bump` [px] along z: the slopes add."""
    slope_x = cv2.filter2D(bump, -1, np.array([[-0.5, 0, 0.5]])).ravel()[covered]
    slope_y = cv2.filter2D(bump, -1, np.array([[-0.5], [0], [0.5]])).ravel()[covered]
    facing = np.maximum(normal[:, 2:], 0.05)
    bent = normal + facing * np.stack([-slope_x, slope_y, 0 * slope_x], -1)
    return _unit(bent).astype(np.float32)


def _ambient_occlusion(depth: np.ndarray, px_per_cm: float) -> np.ndarray:
    """(h,w) share of the sky that reaches a pixel, from how far its surroundings rise above it."""
    filled = np.where(np.isfinite(depth), depth, np.nan)
    floor = np.nanmin(filled) if np.isfinite(filled).any() else 0.0
    filled = np.where(np.isfinite(depth), depth, floor).astype(np.float32)
    open_sky = np.ones_like(filled)
    for radius_cm, strength in ((0.5, 0.35), (1.6, 0.35)):
        sigma = radius_cm * px_per_cm
        rise = (
            cv2.blur(cv2.blur(filled, (int(2 * sigma) | 1,) * 2), (int(2 * sigma) | 1,) * 2)
            - filled
        )
        open_sky *= 1 - strength * np.clip(rise / sigma * 1.5, 0, 1)
    return open_sky


def _shadows(scene: Scene, depth: np.ndarray, covered: np.ndarray, fine: int) -> np.ndarray:
    """(L,N) 1 where a direct light reaches the pixel, 0 where the visible surface blocks it."""
    heights = np.where(np.isfinite(depth), depth, -1e9).reshape(fine, fine).astype(np.float32)
    small = heights[::2, ::2]
    rows, columns = np.divmod(np.arange(small.size), small.shape[1])
    lit = np.ones((len(scene.light.directions), small.size), np.float32)
    step = fine / 96
    for light, (dx, dy, dz) in enumerate(scene.light.directions):
        if dz < 0.02:
            lit[light] = 0
            continue
        for k in range(1, 40):
            reach = k * step
            x = columns * 2 + dx * reach
            y = rows * 2 - dy * reach
            inside = (x >= 0) & (x < fine) & (y >= 0) & (y < fine)
            above = heights[
                np.clip(y, 0, fine - 1).astype(int), np.clip(x, 0, fine - 1).astype(int)
            ]
            gap = above - (small.ravel() + dz * reach)
            blocked = inside & (gap > 0.02 * fine * 0.3) & (gap < 0.35 * fine)
            lit[light][blocked] = 0
    maps = [
        cv2.resize(cv2.GaussianBlur(row.reshape(small.shape), (0, 0), 1.5), (fine, fine)).ravel()[
            covered
        ]
        for row in lit
    ]
    return np.stack(maps) if maps else np.zeros((0, len(covered)), np.float32)


def _shade(
    albedo: np.ndarray,
    normal: np.ndarray,
    light: Light,
    occlusion: np.ndarray,
    shadow: np.ndarray,
    gloss: np.ndarray,
    shininess: np.ndarray,
) -> np.ndarray:
    """Lambertian under harmonics and direct lights, soft red terminator, Blinn-Phong gloss."""
    sky = np.maximum(harmonics(normal) @ light.sh.T, 0.02) * occlusion[:, None]
    toward_camera = np.array([0, 0, 1.0], np.float32)
    reflected = 2 * normal[:, 2:] * normal - toward_camera
    fresnel = 0.028 + 0.2 * (1 - np.clip(normal[:, 2:], 0, 1)) ** 5
    shine = (
        look_up(light.panorama, reflected)
        * fresnel
        * np.minimum(gloss, 2)[:, None]
        * occlusion[:, None]
    )
    irradiance = sky
    bleed = np.array([0.22, 0.10, 0.06], np.float32)
    for direction, color, lit in zip(light.directions, light.colors, shadow, strict=True):
        cosine = (normal @ direction)[:, None]
        wrapped = np.maximum((cosine + bleed) / (1 + bleed), 0)
        soft_lit = lit[:, None] ** (1 - bleed)
        irradiance = irradiance + wrapped * soft_lit * color
        half = _unit(direction + toward_camera)
        lobe = np.maximum(normal @ half, 0) ** shininess * (shininess + 8) / 80
        shine = shine + (0.025 * gloss * lobe * lit)[:, None] * color
    return (albedo * irradiance + shine).astype(np.float32)


def _draw_occluders(
    scene: Scene,
    noise: np.ndarray,
    depth: np.ndarray,
    image: np.ndarray,
    alpha: np.ndarray,
    fine: int,
) -> np.ndarray:
    """Draw hair and glasses over `image` in place; (fine*fine,) bool, what they hide."""
    hidden = np.zeros(fine * fine, bool)
    front = depth.copy()
    grid = np.mgrid[0:fine, 0:fine].reshape(2, -1)
    cut = 0.2 * noise_at(noise[2], grid[1] * 1.3, grid[0] * 0.3).reshape(fine, fine)
    for occluder, color in scene.occluders:
        points = project(occluder.vertices, scene, fine)
        z, triangle_id, weights = rasterize(points, occluder.triangles, fine, occluder.keep, cut)
        before = np.flatnonzero(z.ravel() > front)
        if not len(before):
            continue
        corners = occluder.triangles[triangle_id.ravel()[before]]
        weight = weights.reshape(-1, 3)[before]
        normals = vertex_normals(occluder.vertices, occluder.triangles) @ scene.rotation.T.astype(
            np.float32
        )
        values = interpolate(
            np.column_stack([normals, occluder.strand]).astype(np.float32), corners, weight
        )
        normal = _unit(values[:, :3])
        normal = np.where(normal[:, 2:] < 0, -normal, normal)
        strands = noise_at(noise[3], values[:, 3] * 2.5, values[:, 4] * 0.3)
        albedo = color * np.clip(1 + 0.45 * strands, 0.1, 3)[:, None]
        normal = _unit(normal + 0.35 * np.stack([strands, 0 * strands, 0 * strands], -1)).astype(
            np.float32
        )
        lit = np.ones((len(scene.light.directions), len(before)), np.float32)
        ones = np.ones(len(before), np.float32)
        image[before] = _shade(albedo, normal, scene.light, 0.8 * ones, lit, 0.6 * ones, 12 * ones)
        alpha[before] = 1
        front[before] = z.ravel()[before]
        if occluder.strand.any():  # glasses carry no strands and leave the mask whole
            hidden[before] = True
    return hidden


def _bring_down(
    image: np.ndarray,
    alpha: np.ndarray,
    mask: np.ndarray,
    face: np.ndarray,
    depth: np.ndarray,
    albedo: np.ndarray,
    fine: int,
    size: int,
    landmarks: np.ndarray,
) -> Render:
    target = (size, size)

    def area(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, target, interpolation=cv2.INTER_AREA)

    weight = face.astype(np.float32).reshape(fine, fine)
    height = np.where(face, depth, 0).astype(np.float32).reshape(fine, fine)
    share = area(weight)
    depth_px = np.where(share > 0.5, area(height) / np.maximum(share, 1e-6) * size / fine, np.nan)
    return Render(
        image=area(image.reshape(fine, fine, 3)),
        coverage=area(alpha.reshape(fine, fine)),
        depth_px=depth_px.astype(np.float32),
        mask=(area(mask.astype(np.float32).reshape(fine, fine)) > 0.5) & (share > 0.5),
        albedo=area(albedo.reshape(fine, fine, 3)),
        landmarks=landmarks,
    )
