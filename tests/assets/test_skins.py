"""Textures of another head: two heads of other topology whose true correspondence is known."""

import cv2
import numpy as np
import pytest

from df2net_hub.assets.obj_files import ObjMesh
from df2net_hub.assets.skins import convert_skins, match_heads, resample, texels_of
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.procedural import procedural_head

pytest.importorskip("scipy", reason="scipy solves for the warp")
HEIGHT = 96


def egg(u, v):
    """(...,3) the front of an egg with a nose [cm]; u and v in [0,1] to the left and up."""
    azimuth, height = 2.4 * (u - 0.5), 2.4 * (v - 0.5)
    nose = 2.5 * np.exp(-((azimuth / 0.2) ** 2) - ((height / 0.3) ** 2))
    radius = 9.0 + nose
    x = radius * np.cos(height) * np.sin(azimuth)
    return np.stack([x, 12 * np.sin(height), radius * np.cos(height) * np.cos(azimuth)], -1)


def grid(columns, rows):
    """Parameters (N,2) and triangles (T,3), wound to face out."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack([a, b, d], -1), np.stack([a, d, c], -1)])
    return np.stack([u, v], -1).reshape(-1, 2), triangles.reshape(-1, 3)


@pytest.fixture(scope="module")
def heads():
    """A source mesh, a model of another topology, shape and size, and 35 matches between them."""
    uv, triangles = grid(41, 49)
    source = ObjMesh(egg(*uv.T), uv, triangles, triangles)
    target_uv, target_triangles = grid(31, 37)
    points = egg(*target_uv.T) * [1.3, 1.1, 1.2]
    points[:, 0] += 0.4 * np.sin(points[:, 1] / 6)
    shape = (0, len(points), 3)
    model = MorphableModel(
        points.astype(np.float32), target_triangles, target_uv.astype(np.float32),
        target_triangles, np.zeros(shape), np.zeros(shape), (), np.zeros(68, int),
        {"face_narrow": slice(0, len(points))},
    )  # fmt: skip
    common = [(u, v) for u in (0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0) for v in (0, 0.25, 0.5, 0.75, 1.0)]
    nearest = [
        [int(((parameters - pair) ** 2).sum(1).argmin()) for parameters in (uv, target_uv)]
        for pair in common
    ]
    return source, model, np.array(nearest)


@pytest.fixture(scope="module")
def where(heads):
    source, model, matches = heads
    return match_heads(model, source, matches, HEIGHT)


def truth():
    v, u = (np.mgrid[0:HEIGHT, 0:HEIGHT] + 0.5) / HEIGHT
    return np.stack([u, 1 - v], -1)


def test_every_texel_finds_its_place_in_the_other_texture(where):
    assert where.covered[:, :HEIGHT].mean() > 0.95 and not where.covered[:, HEIGHT:].any()
    assert where.found[where.covered].mean() > 0.99
    error = np.linalg.norm(where.uv[:, :HEIGHT] - truth(), axis=-1)[where.found[:, :HEIGHT]]
    assert np.median(error) < 0.001 and error.max() < 0.003  # of the texture's side


def test_the_resampled_texture_is_the_true_one(where):
    v, u = (np.mgrid[0:200, 0:300] + 0.5) / np.array([200, 300])[:, None, None]
    paint = lambda u, v: 128 + 100 * np.sin(9 * u) * np.cos(7 * v)  # noqa: E731
    texture = np.repeat(paint(u, 1 - v)[..., None], 3, -1).astype(np.uint8)
    found = resample(texture, where)[:, :HEIGHT, 1].astype(float)
    expected = paint(truth()[..., 0], truth()[..., 1])
    error = np.abs(found - expected)[where.found[:, :HEIGHT]]
    assert np.median(error) < 1.5 and error.max() < 5  # of 255


def test_without_matches_that_fit_nothing_is_found(heads):
    source, model, matches = heads
    far = ObjMesh(source.vertices, source.uv, source.triangles[:0], source.uv_triangles[:0])
    with pytest.raises(ValueError, match="no surface of the source lies near"):
        match_heads(model, far, matches, HEIGHT)
    with pytest.raises(ValueError, match="no texture coordinates"):
        match_heads(model, ObjMesh(source.vertices, source.uv, source.triangles, None), matches)


def test_a_texture_that_is_no_picture_is_left_out_and_named(where, tmp_path):
    good, bad, cut = tmp_path / "good.png", tmp_path / "bad.png", tmp_path / "cut.png"
    cv2.imwrite(str(good), np.full((64, 64, 3), (10, 120, 200), np.uint8))
    bad.write_text("no picture")
    cut.write_bytes(good.read_bytes()[:40])
    written, refused = convert_skins([bad, good, cut], tmp_path / "skins", where)
    assert written == 1 and set(refused) == {str(bad), str(cut)}
    assert [path.name for path in (tmp_path / "skins").iterdir()] == ["good.jpg"]
    skin = cv2.imread(str(tmp_path / "skins" / "good.jpg"))
    assert skin.shape == (HEIGHT, 2 * HEIGHT, 3)
    assert np.abs(skin.astype(int) - (10, 120, 200)).max() < 4


def test_triangles_across_the_seam_of_a_layout_do_not_cover_the_face():
    head = procedural_head()
    positions, _, covered = texels_of(head, head.vertices.astype(float), HEIGHT)
    places = np.full((*covered.shape, 3), np.nan)
    places[covered] = positions
    steps = np.linalg.norm(np.diff(places[:, :HEIGHT], axis=1), axis=-1)
    assert np.nanmax(steps) < 2.0  # cm; the head is 17 cm wide
