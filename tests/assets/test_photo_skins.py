"""Skins from photographs: on faces whose color is known, and from the astronaut's portrait."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from df2net_hub.assets.photo_skins import (
    EYES,
    HEIGHT,
    MOUTH,
    albedo,
    convert_photos,
    front_of,
    painted_skins,
    photo_skin,
    places_in_photo,
    skin_share,
    smile,
)
from df2net_hub.cli import main
from df2net_hub.demo_photo import demo_photo
from df2net_hub.faces import FaceBox
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.result import Face
from df2net_hub.shading import harmonics
from df2net_hub.synthesis.morphable import save_morphable
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.raster import rasterize

pytest.importorskip("scipy", reason="scipy solves for the warp")
HEAD = procedural_head()
# Of MediaPipe's face mesh in the portrait of `demo_photo` [px].
POINTS = np.loadtxt(Path(__file__).parent / "astronaut_points.csv", delimiter=",", skiprows=1)
SIZE = 128
BOX = FaceBox(0, 0, SIZE, 1.0, "given")


def table_for(head, points):
    """Where each point lies on the front of the head once eyes and mouth are matched."""
    marks = head.vertices[head.landmarks68][[36, 45, 48, 54], :2]
    seen = points[[33, 263, 61, 291]]  # the subject's right eye, left eye, mouth's right, left
    onto = np.linalg.lstsq(np.column_stack([seen, np.ones(4)]), marks, rcond=None)[0]
    places = np.column_stack([points, np.ones(len(points))]) @ onto
    view = head.vertices * np.float32([32, -32, 32]) + np.float32([400, 400, 0])
    triangles = head.triangles[head.triangle_flags(("face_narrow", "face_outer"))]
    _, index, weights = rasterize(view, triangles, 800, cull=True)
    column, row = np.rint(places * [32, -32] + 400).astype(int).T
    assert (index[row, column] >= 0).all()
    return np.column_stack([triangles[index[row, column]], weights[row, column, :2]])


TABLE = table_for(HEAD, POINTS)
FRONT = front_of(HEAD, TABLE)


def dome():
    """Normals (S,S,3) and heights of a half ball, and where it is."""
    y, x = (np.mgrid[0:SIZE, 0:SIZE] - (SIZE - 1) / 2) / (0.45 * SIZE)
    inside = x**2 + y**2 < 0.8
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0.1))
    normals = np.stack([x, -y, z], -1) / np.linalg.norm(np.stack([x, y, z], -1), axis=-1)[..., None]
    return (normals * inside[..., None]).astype(np.float32), z * 0.45 * SIZE, inside


def face_of(crop, normals, height, mask):
    return Face(height.astype(np.float32), mask, normals, BOX, 0.4, {}, crop)


def test_light_that_the_normals_explain_is_divided_out():
    normals, height, mask = dome()
    light = np.array([0.5, 0.06, 0.0, 0.1, 0, 0, 0, 0, 0], np.float32)  # from the side and above
    shade = (harmonics(normals.reshape(-1, 3)) @ light).reshape(SIZE, SIZE, 1)
    color = np.array([0.9, 0.6, 0.4], np.float32)
    crop = np.rint((np.clip(shade * color, 0, 1) ** (1 / 2.2)) * 255).astype(np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), np.ones((25, 25))) > 0
    lit = (crop[inner] / 255.0) ** 2.2
    found = albedo(face_of(crop, normals, height, mask))[inner]
    assert found.std(0).max() < 0.5 * lit.std(0).max()
    np.testing.assert_allclose(found.mean(0) / found.mean(0)[0], color / color[0], atol=0.02)


def test_what_a_hollow_keeps_dark_is_divided_out_as_well():
    across = np.abs(np.arange(SIZE) - (SIZE - 1) / 2)
    walls = np.minimum(across, 20)  # a groove of 45 degrees down the middle
    normals = np.zeros((SIZE, SIZE, 3), np.float32)
    normals[..., 2] = 1
    slope = np.where(across < 20, -np.sign(np.arange(SIZE) - (SIZE - 1) / 2), 0) / np.sqrt(2)
    normals[..., 0], normals[..., 2] = slope, np.sqrt(1 - slope**2)
    crop = np.full((SIZE, SIZE, 3), 120, np.uint8)
    flat = face_of(crop, normals, np.zeros((SIZE, SIZE)), np.ones((SIZE, SIZE), bool))
    deep = face_of(crop, normals, np.tile(walls, (SIZE, 1)), np.ones((SIZE, SIZE), bool))
    brighter = albedo(deep)[SIZE // 2] / albedo(flat)[SIZE // 2]
    # At the bottom of the groove half of the light is left, 0.62 with what skin gives back.
    assert 1.25 < brighter[SIZE // 2].mean() < 1.6
    np.testing.assert_allclose(brighter[5], 1, atol=0.02)


def test_off_the_face_the_color_is_the_photos():
    normals, height, mask = dome()
    crop = np.full((SIZE, SIZE, 3), 120, np.uint8)
    found = albedo(face_of(crop, normals, height, mask))
    np.testing.assert_allclose(found[~mask], (120 / 255) ** 2.2, atol=1e-5)


def test_eyes_mouth_and_the_rim_are_no_skin():
    mask = np.ones((512, 512), bool)
    mask[:100] = False
    face = face_of(
        np.zeros((512, 512, 3), np.uint8), np.zeros((512, 512, 3)), np.zeros((512, 512)), mask
    )
    low, high = POINTS.min(0), POINTS.max(0)
    points = (POINTS - low) / (high - low) * 250 + 130
    share = skin_share(face, points)
    at = lambda ring: tuple(np.rint(points[list(ring)].mean(0)).astype(int)[::-1])  # noqa: E731
    assert share[at(EYES[0])] < 0.01 and share[at(EYES[1])] < 0.01 and share[at(MOUTH)] < 0.01
    assert share[:106].max() == 0 and share[140, 256] == 1
    assert share[at((50,))] == 1  # a cheek


def test_a_wider_and_a_more_open_mouth_smile_more():
    points = np.zeros((468, 2))
    points[33], points[263] = (0, 0), (10, 0)
    points[61], points[291] = (2, 8), (8, 8)
    points[13], points[14] = (5, 8), (5, 9)
    assert smile(points) == pytest.approx((6 + 1.2) / 10)


def test_texels_are_found_where_an_affine_picture_of_the_head_has_them():
    turn = np.array([[20.0, 2.0], [-3.0, -19.0]])
    places = places_in_photo(FRONT, FRONT.points @ turn + [250, 300])
    expected = FRONT.positions @ turn + [250, 300]
    error = np.linalg.norm(places - expected, axis=1)
    assert np.median(error) < 0.2 and error.max() < 1.0  # cv2 looks up in 32nds


@pytest.fixture(scope="module")
def pipe():
    return DF2NetPipeline.from_pretrained()


@pytest.fixture(scope="module")
def painted():
    return [np.full((HEIGHT, 2 * HEIGHT, 3), tone, np.float32) for tone in (0.05, 0.3)]


@pytest.fixture(scope="module")
def portrait():
    return np.array(Image.open(demo_photo()).convert("RGB"))


def test_the_astronauts_skin_lies_in_the_layout(pipe, portrait, painted):
    skin = photo_skin(pipe, portrait, POINTS, FRONT, painted, most_smile=2.0)
    assert skin.shape == (HEIGHT, 2 * HEIGHT, 3) and skin.dtype == np.uint8
    texture = skin[FRONT.rows, FRONT.columns].astype(float)
    at = {
        name: texture[((FRONT.positions - FRONT.points[point]) ** 2).sum(1).argsort()[:40]].mean(0)
        for name, point in {"cheek": 50, "other cheek": 280, "brow": 105, "nose": 4}.items()
    }
    assert at["cheek"][0] > at["cheek"][1] > at["cheek"][2] > 90  # fair skin, not gray
    assert np.abs(at["cheek"] - at["other cheek"]).max() < 30  # her light from the side is gone
    assert at["brow"].mean() < 0.93 * at["cheek"].mean()  # her own brows are there
    # The back of the head is the fair painted skin, in her color.
    back = skin[HEIGHT // 2, HEIGHT + HEIGHT // 2].astype(float)
    assert back[0] > back[1] > back[2] > 60


def test_what_is_no_good_is_refused_with_the_reason(pipe, portrait, painted):
    assert smile(POINTS) > 0.7
    assert photo_skin(pipe, portrait, POINTS, FRONT, painted, 0.7) == "smiles too much"
    empty = np.full((300, 300, 3), 90, np.uint8)
    assert photo_skin(pipe, empty, POINTS, FRONT, painted, 2.0) == "no face found"
    off = photo_skin(pipe, portrait, POINTS + 150, FRONT, painted, 2.0)
    assert off == "points that lie off the face"


def test_files_are_written_once_and_a_bad_one_stops_nothing(tmp_path, pipe, portrait, painted):
    Image.fromarray(portrait).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    (tmp_path / "c.png").write_bytes(b"")
    points = {"a.png": POINTS, "b.png": POINTS}
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    folder = tmp_path / "photo_skins"
    there, refused = convert_photos(pipe, paths, points, FRONT, painted, folder, 2.0)
    assert there == 1 and set(refused) == {str(paths[1]), str(paths[2])}
    assert refused[str(paths[2])] == "no points are given of it"
    (folder / "a.jpg").write_bytes(b"kept")
    assert convert_photos(pipe, paths[:1], points, FRONT, painted, folder, 2.0) == (1, {})
    assert (folder / "a.jpg").read_bytes() == b"kept"


def test_the_command_fills_a_folder_that_then_renders_such_people(tmp_path, capsys):
    data = tmp_path / "DATA"
    save_morphable(HEAD, data / "head.npz")
    (data / "skins").mkdir()
    cv2.imwrite(str(data / "skins" / "a.jpg"), np.full((512, 1024, 3), 150, np.uint8))
    rows = [",".join(f"{v:g}" for v in (k, *row)) for k, row in enumerate(TABLE)]
    (tmp_path / "on_head.csv").write_text("\n".join(["point,a,b,c,share_a,share_b", *rows]) + "\n")
    np.savez(tmp_path / "astronauts.npz", **{Path(demo_photo()).name: POINTS})
    command = ["assets", "photo-skins", str(demo_photo()), "-o", str(data)]
    command += ["--points", str(tmp_path / "astronauts.npz"), "--license", "public domain, NASA"]
    assert main(command) == 1
    assert "--on-head" in capsys.readouterr().err
    command += ["--on-head", str(tmp_path / "on_head.csv")]
    assert main([*command, "--most-smile", "0.7"]) == 1
    assert "smiles too much" in capsys.readouterr().out
    assert main(command) == 0
    assert "photo_skins: photos of astronauts; public domain, NASA" in capsys.readouterr().out
    assert len(painted_skins(data, FRONT.face)) == 1
    files = {str(path.relative_to(data)) for path in (data / "photo_skins").rglob("*.*")}
    assert files == {"photo_skins/astronaut.jpg", "photo_skins/creases/astronaut.png"}


def test_no_painted_skin_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"docs/assets\.md"):
        painted_skins(tmp_path, FRONT.face)
