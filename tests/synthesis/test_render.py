"""The renderer against closed forms: spheres and planes under known light and known lenses."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from df2net_hub.geometry import depth_to_normals
from df2net_hub.shading import harmonics
from df2net_hub.synthesis.appearance import HeadFields, Look, tileable_noise
from df2net_hub.synthesis.hair import Occluder
from df2net_hub.synthesis.lids import BARE_LIDS
from df2net_hub.synthesis.light import Light
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.render import Render, Scene, render

SIZE, SIDE_CM, RADIUS_CM = 128, 20.0, 8.0
PX_PER_CM = SIZE / SIDE_CM
RADIUS = RADIUS_CM * PX_PER_CM
STEP = np.radians(2)  # between the sphere's vertices
# The middle of a flat cell lies this far below the sphere [px].
SAGITTA = RADIUS * 2 * STEP**2 / 8
SH = np.zeros((3, 9), np.float32)
SH[:, 0] = 0.9, 0.8, 0.7
SH[0, 1:] = 0.2, -0.1, 0.15, 0.05, 0.1, -0.07, 0.06, 0.08
SH[2, 1:4] = 0.1, 0.2, -0.2
COLOR = np.array([0.6, 0.4, 0.3], np.float32)
NOISE = tileable_noise(np.random.default_rng(0))
FAR = np.inf


def sheet(points: np.ndarray, uv: np.ndarray, columns: int, part: str) -> MorphableModel:
    """A model of one part: a grid of points whose triangles face +z or outward."""
    index = np.arange(len(points)).reshape(-1, columns)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[:-1, 1:], index[1:, 1:]
    cells = [np.stack([a, b, c], -1), np.stack([c, b, d], -1)]
    triangles = np.concatenate(cells).reshape(-1, 3).astype(np.int32)
    return MorphableModel(
        vertices=points.astype(np.float32),
        triangles=triangles,
        uv=uv.astype(np.float32),
        uv_triangles=triangles,
        identity=np.zeros((0, len(points), 3), np.float32),
        expression=np.zeros((0, len(points), 3), np.float32),
        expression_names=(),
        landmarks68=np.zeros(68, np.int32),
        parts={part: slice(0, len(points))},
    )


def sphere(part: str = "face_narrow") -> MorphableModel:
    polar = np.arange(0, np.pi + STEP / 2, STEP)
    azimuth = np.arange(-np.pi, np.pi + STEP / 2, STEP)
    p, a = np.meshgrid(polar, azimuth, indexing="ij")
    ball = np.stack([np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)], -1)
    uv = np.stack([0.5 + a / 7, 1 - p / np.pi], -1)
    return sheet(RADIUS_CM * ball.reshape(-1, 3), uv.reshape(-1, 2), len(azimuth), part)


def plane(right: float, up: float) -> MorphableModel:
    """Height right * x + up * y over more than the picture."""
    y, x = np.meshgrid(np.linspace(12, -12, 5), np.linspace(-12, 12, 5), indexing="ij")
    points = np.stack([x, y, right * x + up * y], -1).reshape(-1, 3)
    return sheet(points, np.full((25, 2), 0.5), 5, "face_narrow")


def fields_of(model: MorphableModel) -> HeadFields:
    zero = np.zeros(len(model.vertices), np.float32)
    return HeadFields(model.vertices, zero - 9, zero, zero, zero, zero, zero, zero)


def scene_of(model: MorphableModel, **changes: object) -> Scene:
    black = np.zeros(3, np.float32)
    look = Look(
        skins=(), skin_mix=0.0, skin_gain=np.ones(3, np.float32), blotches=0.0, hair_color=black,
        brow_strength=0.0, brow_width=0.1, beard_strength=0.0, beard_grain=0.0, iris_color=black,
        gaze=np.zeros(2, np.float32), teeth_color=black, cloth_color=black, neckline=-99.0,
        noise_offset=np.zeros(2, np.float32),
        vertex_colors=np.tile(COLOR, (len(model.vertices), 1)),
    )  # fmt: skip
    none = np.zeros((0, 3), np.float32)
    scene = Scene(
        shape=model.vertices, rotation=np.eye(3), center=np.zeros(2), side=SIDE_CM, distance=FAR,
        look=look, light=Light(SH, none, none, np.zeros((8, 16, 3), np.float32)),
        wrinkles=np.zeros((64, 64), np.float32), cavities=np.ones((64, 64), np.float32),
        occluders=[], gloss=0.0, lids=BARE_LIDS,
    )  # fmt: skip
    scene = replace(scene, **changes)
    as_bright = np.ones(scene.wrinkles.shape, np.float32)
    return scene if "cavities" in changes else replace(scene, cavities=as_bright)


def rendered(model: MorphableModel, supersample: float = 1.0, **changes: object) -> Render:
    return render(model, fields_of(model), scene_of(model, **changes), NOISE, SIZE, supersample)


def grid() -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x right, y up [px] of every pixel, 0 in the picture's middle."""
    row, column = np.mgrid[0:SIZE, 0:SIZE]
    return column - (SIZE - 1) / 2, (SIZE - 1) / 2 - row


def degrees_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip((a * b).sum(-1), -1, 1)))


def true_sphere(radius: float = RADIUS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Height (S,S) with NaN outside, unit normals, and distance from the middle [px]."""
    x, y = grid()
    reach = np.hypot(x, y)
    z = np.sqrt(np.where(reach < radius, radius**2 - reach**2, np.nan))
    return z, np.stack([x, y, z], -1) / radius, reach


@pytest.fixture(scope="module")
def ball() -> Render:
    return rendered(sphere())


def test_depth_of_a_sphere_is_its_height_to_within_the_tessellation(ball):
    z, normals, reach = true_sphere()
    inner = reach < 0.97 * RADIUS
    error = np.abs(ball.depth_px - z)[inner]
    assert (error <= SAGITTA / normals[..., 2][inner] + 1e-3).all()


def test_the_mask_of_a_sphere_ends_at_its_radius(ball):
    _, _, reach = true_sphere()
    assert ball.mask[reach < RADIUS - SAGITTA].all()
    assert not ball.mask[reach > RADIUS].any()
    np.testing.assert_array_equal(ball.mask, np.isfinite(ball.depth_px))
    np.testing.assert_array_equal(ball.mask, np.isfinite(ball.normals).all(-1))
    np.testing.assert_array_equal(ball.coverage, ball.mask)


def test_normals_of_a_sphere_are_unit_and_right_to_half_a_degree(ball):
    _, normals, reach = true_sphere()
    inner = reach < 0.97 * RADIUS
    np.testing.assert_allclose(np.linalg.norm(ball.normals[inner], axis=-1), 1, atol=1e-5)
    assert degrees_between(ball.normals, normals)[inner].max() < 0.5


def test_shading_is_albedo_times_the_harmonics_of_the_normals(ball):
    expected = COLOR * (harmonics(ball.normals[ball.mask].astype(np.float64)) @ SH.T)
    assert expected.min() > 0.02
    np.testing.assert_allclose(ball.albedo[ball.mask], np.tile(COLOR, (ball.mask.sum(), 1)))
    # Nothing stands in a ball's light but, by a hair, the edges of its triangles.
    np.testing.assert_allclose(ball.image[ball.mask], expected, rtol=0.01)
    assert (ball.image[~ball.mask] == 0).all()


@pytest.mark.parametrize("supersample", [1.0, 1.5])
def test_a_slanted_plane_is_exact_in_depth_normals_and_shading(supersample):
    made = rendered(plane(0.5, -0.3), supersample)
    x, y = grid()
    np.testing.assert_allclose(made.depth_px, 0.5 * x - 0.3 * y, atol=2e-4)
    normal = np.array([-0.5, 0.3, 1]) / np.sqrt(1.34)
    np.testing.assert_allclose(made.normals, np.tile(normal, (SIZE, SIZE, 1)), atol=1e-5)
    shaded = COLOR * (harmonics(normal) @ SH.T)
    np.testing.assert_allclose(made.image, np.tile(shaded, (SIZE, SIZE, 1)), atol=1e-5)


@pytest.fixture(scope="module")
def near_ball() -> Render:
    return rendered(sphere(), distance=40.0)


def test_a_sphere_through_a_near_lens_has_the_height_of_the_closed_form(near_ball):
    # A pixel at (x, y) sees the points (x, y) (1 - z / d), z: a quadratic equation for z.
    distance = 40.0 * PX_PER_CM
    x, y = grid()
    square = x**2 + y**2
    a, b, c = 1 + square / distance**2, square / distance, square - RADIUS**2
    root = b**2 - a * c
    edge = RADIUS / np.sqrt(1 - (RADIUS / distance) ** 2)
    reach = np.sqrt(square)
    np.testing.assert_array_equal((root > 0)[np.abs(reach - edge) > 1e-6], (reach < edge)[
        np.abs(reach - edge) > 1e-6])  # fmt: skip
    assert near_ball.mask[reach < edge - 2 * SAGITTA].all()
    assert not near_ball.mask[reach > edge].any()
    z = (b + np.sqrt(np.maximum(root, 0))) / a
    inner = reach < 0.95 * edge
    shrink = 1 - z / distance
    true = np.stack([x * shrink, y * shrink, z], -1) / RADIUS
    toward_lens = np.stack([-x * shrink, -y * shrink, distance - z], -1)
    toward_lens /= np.linalg.norm(toward_lens, axis=-1, keepdims=True)
    facing = (true * toward_lens).sum(-1)
    assert (np.abs(near_ball.depth_px - z)[inner] <= 1.3 * SAGITTA / facing[inner] + 1e-3).all()
    # The stored normals are the map's own slopes; light falls on the true ones.
    own = np.stack([x * shrink**2, y * shrink**2, z - square * shrink / distance], -1)
    own /= np.linalg.norm(own, axis=-1, keepdims=True)
    assert degrees_between(near_ball.normals, own)[inner].max() < 1.0
    assert degrees_between(near_ball.normals, true)[inner].max() > 4
    expected = COLOR * (harmonics(true) @ SH.T)
    np.testing.assert_allclose(near_ball.image[inner], expected[inner], atol=0.012)


def test_a_constant_displacement_makes_the_sphere_larger_by_it():
    rise_cm = 0.06
    made = rendered(sphere(), wrinkles=np.full((64, 64), rise_cm, np.float32))
    z, _, reach = true_sphere(RADIUS + rise_cm * PX_PER_CM)
    inner = reach < 0.85 * RADIUS  # beyond it wrinkles begin to fade
    smooth, _, _ = true_sphere()
    assert np.abs((z - smooth)[inner]).min() > 0.38
    np.testing.assert_allclose(made.depth_px[inner], z[inner], atol=2 * SAGITTA + 5e-3)


def test_wrinkles_are_the_same_in_depth_normals_and_shading():
    v, u = np.mgrid[0:256, 0:256] / 256
    waves = (0.06 * np.sin(60 * v + 5 * np.sin(6 * u)) * np.sin(40 * u)).astype(np.float32)
    made, smooth = rendered(sphere(), wrinkles=waves), rendered(sphere())
    _, _, reach = true_sphere()
    inner = reach < 0.7 * RADIUS
    assert degrees_between(made.normals, smooth.normals)[inner].mean() > 3
    depth = torch.from_numpy(np.nan_to_num(made.depth_px))[None, None]
    from_depth = depth_to_normals(depth)[0].permute(1, 2, 0).numpy()
    error = degrees_between(made.normals, from_depth)[inner]
    assert np.percentile(error, 99) < 2 and error.mean() < 0.7
    expected = COLOR * (harmonics(made.normals[inner].astype(np.float64)) @ SH.T)
    ratio = made.image[inner] / expected
    assert ratio.min() > 0.6 and ratio.max() < 1.15


def test_cavities_darken_the_photo_and_nothing_else():
    cavities = np.ones((64, 64), np.float32)
    cavities[:, 30:34] = 0.6
    made, bright = rendered(sphere(), cavities=cavities), rendered(sphere())
    inner = true_sphere()[2] < 0.7 * RADIUS
    ratio = (made.image / np.maximum(bright.image, 1e-6))[inner]
    np.testing.assert_allclose(ratio.std(-1), 0, atol=1e-5)
    assert ratio.min() == pytest.approx(0.6, abs=0.02) and ratio.max() == pytest.approx(1)
    assert 0.02 < (ratio[:, 0] < 0.99).mean() < 0.5
    for name in ("depth_px", "normals", "albedo", "mask"):
        np.testing.assert_array_equal(getattr(made, name), getattr(bright, name))


def test_folds_are_darker_than_their_normals_say_and_redder():
    v, u = np.mgrid[0:256, 0:256] / 256
    waves = (0.4 * np.sin(60 * v) * np.sin(40 * u)).astype(np.float32)
    made, smooth = rendered(sphere(), wrinkles=waves), rendered(sphere())
    inner = true_sphere()[2] < 0.7 * RADIUS
    ratio = made.image[inner] / (COLOR * (harmonics(made.normals[inner].astype(np.float64)) @ SH.T))
    rise = (made.depth_px - smooth.depth_px)[inner]
    fold, crest = rise < np.quantile(rise, 0.1), rise > np.quantile(rise, 0.9)
    np.testing.assert_allclose(ratio[crest].mean(0), 1, atol=0.02)
    assert ratio[fold].mean() < 0.97
    # Red is what the skin around gives back most of.
    assert ratio[fold, 0].mean() > ratio[fold, 1].mean() > ratio[fold, 2].mean()


def test_triangles_without_area_and_triangles_behind_change_nothing(ball):
    model = sphere()
    count = len(model.vertices)
    behind = model.vertices[:3] * 0.1 + np.array([0, 0, -20], np.float32)
    extra = np.array([[0, 0, 5], [7, 7, 7], [count, count + 2, count + 1]], np.int32)
    points = np.concatenate([model.vertices, behind])
    larger = replace(
        model,
        vertices=points,
        uv=np.concatenate([model.uv, model.uv[:3]]),
        triangles=np.concatenate([model.triangles, extra]),
        uv_triangles=np.concatenate([model.uv_triangles, extra]),
    )
    made = rendered(larger)
    for name in ("depth_px", "mask", "image", "albedo"):
        np.testing.assert_array_equal(getattr(made, name), getattr(ball, name))


def test_a_face_that_is_out_of_the_picture_leaves_it_empty():
    made = rendered(sphere(), center=np.array([500.0, 0.0]))
    assert not made.mask.any() and np.isnan(made.depth_px).all()
    assert (made.image == 0).all() and (made.coverage == 0).all()


def plate(
    left: float, right: float, height: float, hides: bool
) -> list[tuple[Occluder, np.ndarray]]:
    """An upright bar from x = left to right [cm] at `height` [cm] before the face's plane."""
    corners = np.array([[left, -15], [right, -15], [left, 15], [right, 15]])
    points = np.column_stack([corners, np.full(4, height)]).astype(np.float32)
    triangles = np.array([[0, 1, 2], [2, 1, 3]], np.int32)
    bar = Occluder(points, triangles, np.full(4, 9, np.float32), np.zeros((4, 2), np.float32))
    return [(replace(bar, hides=hides), np.array([0.1, 0.2, 0.3]))]


@pytest.mark.parametrize("hides", [True, False])
def test_what_stands_before_the_face_leaves_its_ground_truth_alone(hides):
    bare = rendered(plane(0.1, 0.1))
    made = rendered(plane(0.1, 0.1), occluders=plate(-2, 2, 4, hides))
    for name in ("depth_px", "normals", "albedo"):
        np.testing.assert_array_equal(getattr(made, name), getattr(bare, name))
    under = np.abs(grid()[0]) < 2 * PX_PER_CM
    np.testing.assert_array_equal(made.mask, ~under if hides else np.ones_like(under))
    np.testing.assert_allclose(made.front_px[under], 4 * PX_PER_CM, atol=1e-4)
    assert np.abs(made.image - bare.image)[under].min(0).max() > 0.05


@pytest.mark.parametrize("hides", [True, False])
def test_hair_and_glasses_cast_shadows_where_the_light_says(hides):
    # Light from the left at 45 degrees: the shadow falls as far to the right as the bar is high,
    # from x = -3 to 0, of which the bar itself leaves the part right of -2 to be seen.
    toward = np.array([[-(0.5**0.5), 0, 0.5**0.5]], np.float32)
    light = Light(SH, toward, np.ones((1, 3), np.float32), np.zeros((8, 16, 3), np.float32))
    lit = rendered(plane(0, 0), light=light)
    made = rendered(plane(0, 0), light=light, occluders=plate(-5, -2, 2, hides))
    x = grid()[0] / PX_PER_CM
    dark, bright = np.abs(x + 1) < 0.3, x > 2.5
    sky = COLOR * (harmonics(np.array([0, 0, 1.0])) @ SH.T)
    assert made.image[bright] == pytest.approx(lit.image[bright], rel=0.01)  # less of the sky
    reached = (made.image[dark] - sky) / (lit.image[dark] - sky)
    assert reached.max() < 0.25


def test_eyeballs_are_not_needed_and_lids_shade_the_eyeballs_there_are():
    open_eye = rendered(sphere("eyeball_left"))
    lid = plate(-15, 15, 9, True)
    lid[0][0].vertices[:, 1] = [1.5, 1.5, 15, 15]
    shaded = rendered(sphere("eyeball_left"), occluders=lid)
    x, y = grid()
    below = (np.abs(x) < 3 * PX_PER_CM) & (np.abs(y) < PX_PER_CM)
    assert shaded.image[below].mean() <= open_eye.image[below].mean()
    assert rendered(sphere()).mask.any()  # a model with no part of that name
