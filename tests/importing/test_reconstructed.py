"""From the files of each layout to a pair: the relief of an analytic face comes back out."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from PIL import Image

from df2net_hub.importing.inputs import LAYOUTS, find_inputs
from df2net_hub.importing.reconstructed import ReconstructedPairs, Row
from df2net_hub.pairs import decode_pair

CENTER = (130.0, 110.0)
SIZE = 128


def save_photo(ellipsoid, path: Path, turn: np.ndarray) -> np.ndarray:
    photo = ellipsoid.photo(260, 220, CENTER, turn)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo).save(path)
    return photo


def save_obj(path: Path, vertices: np.ndarray, triangles: np.ndarray, colors=None) -> None:
    """As PRNet and 3DDFA_V2 write: vertex lines with colors, no normals, one-based triangles."""
    rows = vertices if colors is None else np.column_stack([vertices, colors])
    lines = [f"v {' '.join(f'{value:.4f}' for value in row)}" for row in rows]
    lines += [f"f {a} {b} {c}" for a, b, c in triangles + 1]
    path.write_text("\n".join(lines) + "\n")


def photo_colors(photo: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = np.rint(points[:, :2]).astype(int).T
    return photo[y.clip(0, len(photo) - 1), x.clip(0, photo.shape[1] - 1)] / 255


def make(layout: str, folder: Path, **options: object) -> list[Row | str]:
    inputs = find_inputs(layout, folder)
    options = {"size": SIZE, "detector": "none", **options}
    maker = ReconstructedPairs(layout, inputs, **options)  # type: ignore[arg-type]
    return [maker.open()(index) for index in range(len(inputs))]


def shown(row: Row | str) -> dict[str, np.ndarray]:
    """Image, depth [network], mask, normals of a row."""
    assert not isinstance(row, str), row
    return decode_pair({k: {"bytes": v} if isinstance(v, bytes) else v for k, v in row.items()})


def assert_is_the_ellipsoid(row: Row | str, turn: np.ndarray, ellipsoid) -> None:
    """Relief over the face's width, and normals, are those of the ellipsoid in this pose."""
    pair = shown(row)
    mask, depth = pair["mask"], pair["depth"] * 127.5 * SIZE / 512  # [px of the picture]
    assert 0.15 < mask.mean() < 0.7
    assert (np.isfinite(depth) == mask).all()
    assert abs(depth[mask].mean()) < 0.01
    # A point's normal says where on the ellipsoid it lies, and so how high.
    normals = pair["normals"][mask] @ turn
    points = normals * ellipsoid.radii**2
    points /= np.linalg.norm(points / ellipsoid.radii, axis=1, keepdims=True)
    height = (points @ turn.T)[:, 2]
    slope, _ = np.polyfit(height, depth[mask], 1)
    wrong = depth[mask] / slope - (height - height.mean())
    assert np.abs(wrong).mean() < 1.0  # of 50 px; 8 bits of a normal are worth 0.4 px
    # ... and its color, whose steps are worth half a pixel.
    inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    difference = np.abs(pair["image"][mask].astype(float) - ellipsoid.colors(points))
    assert np.median(difference[inner[mask]]) < 4


def test_prnet_obj_turned_to_the_front(ellipsoid, tmp_path: Path) -> None:
    turn = ellipsoid.turn(25)
    photo = save_photo(ellipsoid, tmp_path / "a.png", turn)
    points = ellipsoid.in_photo(CENTER, turn)
    flipped = points * [1, -1, 1] + [0, 220 - 1, 0]  # save_vertices[:,1] = h - 1 - y
    save_obj(tmp_path / "a.obj", flipped, ellipsoid.triangles, photo_colors(photo, points))
    reference = tmp_path / "canonical_vertices.npy"
    np.save(reference, ellipsoid.vertices * [1, -1, 1] + 128)
    (row,) = make("prnet", tmp_path, reference=str(reference))
    assert_is_the_ellipsoid(row, np.eye(3), ellipsoid)
    assert row["source"] == "reconstructed" and row["id"] == "a"
    assert row["camera"]["yaw"] == pytest.approx(0)


def test_prnet_obj_of_either_script_is_the_same_pair(ellipsoid, tmp_path: Path) -> None:
    turn = ellipsoid.turn(-15, 5)
    rows = []
    for name, up in (("demo", True), ("basics", False)):
        photo = save_photo(ellipsoid, tmp_path / name / "a.png", turn)
        points = ellipsoid.in_photo(CENTER, turn)
        vertices = points * [1, -1, 1] + [0, 219, 0] if up else points
        colors = photo_colors(photo, points)
        save_obj(tmp_path / name / "a.obj", vertices, ellipsoid.triangles, colors)
        rows += make("prnet", tmp_path / name, view="photo")
    assert_is_the_ellipsoid(rows[0], turn, ellipsoid)
    assert rows[0]["depth"] == rows[1]["depth"] and rows[0]["image"] == rows[1]["image"]


def test_prnet_works_on_large_photos_at_a_thousand_pixels(ellipsoid, tmp_path: Path) -> None:
    turn = ellipsoid.turn(10)
    photo = np.asarray(
        Image.fromarray(ellipsoid.photo(260, 220, CENTER, turn)).resize((2600, 2200))
    )
    Image.fromarray(photo).save(tmp_path / "a.png")
    points = (ellipsoid.in_photo(CENTER, turn) + [0.5, 0.5, 0]) * (1000 / 260) - [0.5, 0.5, 0]
    worked_on = np.asarray(Image.fromarray(photo).resize((1000, 846)))
    vertices = points * [1, -1, 1] + [0, 2200 - 1, 0]  # the given photo's height
    save_obj(tmp_path / "a.obj", vertices, ellipsoid.triangles, photo_colors(worked_on, points))
    (row,) = make("prnet", tmp_path, view="photo")
    assert_is_the_ellipsoid(row, turn, ellipsoid)


def test_prnet_position_map(ellipsoid, tmp_path: Path) -> None:
    turn = ellipsoid.turn(20)
    save_photo(ellipsoid, tmp_path / "a.png", turn)
    side = round(len(ellipsoid.vertices) ** 0.5)
    positions = ellipsoid.in_photo(CENTER, turn).reshape(side, side, 3)
    face = np.ones((side, side), bool)
    face[:12] = False
    positions[:12] = np.nan  # what is off the face is never looked at
    np.save(tmp_path / "a.npy", positions.astype(np.float32))
    indices = np.flatnonzero(face)
    np.savetxt(tmp_path / "face_ind.txt", indices, fmt="%d")
    np.save(tmp_path / "reference.npy", ellipsoid.vertices[indices] * [1, -1, 1])
    options = {
        "vertices": str(tmp_path / "face_ind.txt"),
        "reference": str(tmp_path / "reference.npy"),
    }
    (row,) = make("prnet", tmp_path, **options)
    assert_is_the_ellipsoid(row, np.eye(3), ellipsoid)
    assert make("prnet", tmp_path, view="photo") == [
        "position map without PRNet's face_ind.txt, which says which pixels are face"
    ]


def test_3ddfa_obj_and_ply_are_the_same_pair_and_the_largest_face_is_taken(
    ellipsoid, tmp_path: Path
) -> None:
    turn = ellipsoid.turn(-20)
    rows = []
    for name in ("a_obj.obj", "a_ply.ply"):
        folder = tmp_path / name
        photo = save_photo(ellipsoid, folder / "a.png", turn)
        points = ellipsoid.in_photo(CENTER, turn)
        small = points * 0.2 + [0, 0, 5]
        both = np.concatenate([small, points])
        vertices = both * [1, -1, 1] + [0, 220, 0]  # height - y
        triangles = np.concatenate([ellipsoid.triangles, ellipsoid.triangles + len(points)])
        if name.endswith("obj"):
            save_obj(folder / name, vertices, triangles, photo_colors(photo, both))
        else:
            trimesh.Trimesh(vertices, triangles, process=False).export(
                folder / name, vertex_normal=False, encoding="ascii"
            )
        rows += make("3ddfa", folder, view="photo")
    assert_is_the_ellipsoid(rows[0], turn, ellipsoid)
    depths = [shown(row)["depth"] for row in rows]
    assert np.nanmax(np.abs(depths[0] - depths[1])) * 127.5 < 0.1


def extreme3d_folder(ellipsoid, folder: Path, turn: np.ndarray) -> None:
    """Its output for a face 1 m away: a camera at the origin that looks along -z, f = 1000."""
    (folder / "imgs").mkdir()
    (folder / "3D").mkdir()
    photo = ellipsoid.photo(500, 500, (250.0, 250.0), turn)
    Image.fromarray(photo).save(folder / "imgs" / "a.png")
    aligned = ellipsoid.vertices @ turn.T + [0, 0, -1000]
    for name, vertices in (
        ("withBump_aligned", aligned),
        ("foundation_aligned", aligned[::7]),
        ("foundation_frontal", ellipsoid.vertices[::7]),
    ):
        triangles = ellipsoid.triangles if len(vertices) == len(aligned) else [[0, 1, 2]]
        mesh = trimesh.Trimesh(vertices, triangles, process=False)
        mesh.export(folder / "3D" / f"a_{name}.ply", encoding="ascii", vertex_normal=False)


def test_extreme3d_finds_its_pose_in_the_foundation_meshes(ellipsoid, tmp_path: Path) -> None:
    extreme3d_folder(ellipsoid, tmp_path, ellipsoid.turn(30, -5))
    (row,) = make("extreme3d", tmp_path)
    # Seen from 1 m the near parts look up to 5 % larger: the photo here was a weak perspective.
    pair = shown(row)
    assert 0.2 < pair["mask"].mean() < 0.7
    height, columns = pair["depth"] * 127.5 * SIZE / 512, np.flatnonzero(pair["mask"].any(0))
    relief_per_width = (np.nanmax(height) - np.nanmin(height)) / np.ptp(columns)
    assert 0.25 < relief_per_width < 0.5
    straight = shown(make("extreme3d", tmp_path, view="photo")[0])
    assert straight["mask"].mean() > 0.2
    assert row["camera"]["mm_per_px"] > 0
    (row,) = make("extreme3d", tmp_path, view="photo")
    assert row["camera"]["yaw"] == pytest.approx(30, abs=0.1)
    assert row["camera"]["pitch"] == pytest.approx(-5, abs=0.2)


def test_extreme3d_without_its_foundations_has_no_frontal_view(ellipsoid, tmp_path: Path) -> None:
    extreme3d_folder(ellipsoid, tmp_path, ellipsoid.turn(30))
    (tmp_path / "3D" / "a_foundation_frontal.ply").unlink()
    assert make("extreme3d", tmp_path) == [
        "mesh of unknown pose: give a frontal reference, or take the photo's view"
    ]


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
def test_any_mesh_with_a_stated_camera(ellipsoid, tmp_path: Path, suffix: str) -> None:
    turn = ellipsoid.turn(-25)
    save_photo(ellipsoid, tmp_path / "a.png", turn)
    trimesh.Trimesh(ellipsoid.vertices / 10, ellipsoid.triangles, process=False).export(
        tmp_path / f"a{suffix}"
    )
    stated = {"kind": "weak", "scale": 10, "rotation": turn.tolist(), "shift": CENTER}
    (tmp_path / "a.json").write_text(json.dumps({**stated, "frontal": True}))
    (row,) = make("mesh", tmp_path)
    assert_is_the_ellipsoid(row, np.eye(3), ellipsoid)
    (row,) = make("mesh", tmp_path, view="photo")
    assert_is_the_ellipsoid(row, turn, ellipsoid)
    assert row["camera"]["yaw"] == pytest.approx(-25, abs=1e-3)


def depth_of(ellipsoid, turn: np.ndarray) -> np.ndarray:
    columns, rows = np.meshgrid(np.arange(260), np.arange(220))
    return ellipsoid.surface(columns - CENTER[0], CENTER[1] - rows, turn)[..., 2]


def save_png16(path: Path, height: np.ndarray) -> str:
    """Tenths of a millimeter from a camera 1 m away, half a millimeter to the pixel; 0 is empty."""
    millimeters = 1000 - height * 0.5
    cv2.imwrite(str(path), np.nan_to_num(millimeters * 10).round().astype(np.uint16))
    return '{"unit": "mm", "step": 0.1, "nearer": "smaller", "mm_per_px": 0.5}'


def save_npy(path: Path, height: np.ndarray) -> str:
    np.save(path, height.astype(np.float32))
    return '{"unit": "px", "step": 1.0, "nearer": "larger"}'


def save_npz(path: Path, height: np.ndarray) -> str:
    """A map without gaps, and its mask."""
    np.savez(path, depth=np.nan_to_num(height * 2, nan=-50.0), mask=np.isfinite(height))
    return '{"unit": "px", "step": 0.5, "nearer": "larger"}'


@pytest.mark.parametrize(
    ("suffix", "save"), [(".png", save_png16), (".npy", save_npy), (".npz", save_npz)]
)
def test_depth_maps_of_every_kind(
    ellipsoid, tmp_path: Path, suffix: str, save: Callable[[Path, np.ndarray], str]
) -> None:
    turn = ellipsoid.turn(15)
    save_photo(ellipsoid, tmp_path / "a.png", turn)
    statement = save(tmp_path / f"a_depth{suffix}", depth_of(ellipsoid, turn))
    (row,) = make("depth", tmp_path, view="photo", depth=statement)
    assert_is_the_ellipsoid(row, turn, ellipsoid)


def test_distances_in_millimeters_with_a_focal_length() -> None:
    from df2net_hub.importing.depth_maps import DepthStatement

    statement = DepthStatement("mm", 1.0, "smaller", focal_px=2000)
    height, mm_per_px = statement.height_px(np.array([900.0, 1100.0]))
    assert mm_per_px == pytest.approx(0.5)  # 1 m away, 2000 px of focal length
    assert height[0] - height[1] == pytest.approx(400)


def test_a_list_of_vertices_leaves_the_rest_of_a_mesh_out(ellipsoid, tmp_path: Path) -> None:
    save_photo(ellipsoid, tmp_path / "a.png", np.eye(3))
    trimesh.Trimesh(ellipsoid.vertices, ellipsoid.triangles, process=False).export(
        tmp_path / "a.ply"
    )
    upper = np.flatnonzero(ellipsoid.vertices[:, 1] > -20)
    np.save(tmp_path / "face.npy", upper)
    camera = json.dumps({"kind": "weak", "scale": 1, "shift": CENTER, "frontal": True})
    whole, part = (
        shown(make("mesh", tmp_path, camera=camera, view="photo", vertices=kept)[0])["mask"]
        for kept in (None, str(tmp_path / "face.npy"))
    )
    tall, cut = (np.ptp(np.flatnonzero(mask.any(1))) / mask.any(0).sum() for mask in (whole, part))
    assert cut / tall == pytest.approx(100 / 160, abs=0.05)


def test_a_folder_in_which_nothing_fits_says_what_was_looked_for(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.jpg")
    for layout in LAYOUTS:
        with pytest.raises(FileNotFoundError, match="looked for"):
            find_inputs(layout, tmp_path)
    with pytest.raises(LookupError, match="prnet, extreme3d"):
        find_inputs("flame", tmp_path)


def test_what_lies_beside_photos_is_no_photo(ellipsoid, tmp_path: Path) -> None:
    save_photo(ellipsoid, tmp_path / "a.png", np.eye(3))
    for name in ("a_depth.png", "a_mask.png", "a_texture.png"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    found = find_inputs("depth", tmp_path)
    assert [one.name for one in found] == ["a"]
    assert found[0].geometry.endswith("a_depth.png") and found[0].mask.endswith("a_mask.png")


def test_options_that_cannot_work_are_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frontal reference"):
        ReconstructedPairs("prnet", ())
    with pytest.raises(ValueError, match="unit and sign"):
        ReconstructedPairs("depth", (), view="photo")
    with pytest.raises(ValueError, match="has no pose"):
        ReconstructedPairs("depth", (), depth='{"unit": "px", "step": 1, "nearer": "larger"}')
    with pytest.raises(ValueError, match="frontal, photo"):
        ReconstructedPairs("mesh", (), view="side")
    with pytest.raises(FileNotFoundError, match="no list of vertices"):
        ReconstructedPairs("mesh", (), vertices=str(tmp_path / "none.txt"))
    with pytest.raises(FileNotFoundError, match="no frontal reference"):
        ReconstructedPairs("mesh", (), reference=str(tmp_path / "none.npy"))
    for statement, said in (
        ('{"unit": "m", "step": 1, "nearer": "larger"}', "unit is one of"),
        ('{"unit": "mm", "step": 1, "nearer": "larger"}', "mm_per_px or focal_px"),
        ('{"unit": "px", "step": 1}', "unit, step, nearer"),
        ('{"unit": "px", "step": -1, "nearer": "larger"}', "above 0"),
        ("{", "will not do"),
    ):
        with pytest.raises(ValueError, match=said):
            ReconstructedPairs("depth", (), view="photo", depth=statement)
