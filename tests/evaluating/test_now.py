"""NoW: its layout, its landmarks, and meshes whose distance from the scan is known."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from now_makers import head, picked_points, write_now

from df2net_hub.evaluating.now import (
    IMAGE_LIST,
    SCAN_LANDMARKS,
    SCANS,
    is_now,
    now_photos,
    read_picked_points,
    read_scan,
)
from df2net_hub.geometry import CROP_SIZE, rotation
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.synthesis.procedural import procedural_head

pytest.importorskip("scipy", reason="scipy is not installed")
from df2net_hub.evaluating.now_methods import (  # noqa: E402
    Candidate,
    NowMeanHead,
    NowMeshes,
    NowStages,
    read_landmarks,
)
from df2net_hub.evaluating.now_report import now_numbers  # noqa: E402
from df2net_hub.evaluating.now_run import evaluate_now  # noqa: E402
from df2net_hub.evaluating.scan_distance import Surface, align  # noqa: E402

LINES = ["A/multiview_neutral/IMG_1.jpg", "A/selfie/IMG_2.jpg", "B/selfie/IMG_3.jpg"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_now(tmp_path / "now", LINES)


def test_photos_come_in_the_order_of_the_list(root: Path) -> None:
    photos = now_photos(root)
    assert [photo.name for photo in photos] == [line.removesuffix(".jpg") for line in LINES]
    assert [photo.challenge for photo in photos] == ["multiview_neutral", "selfie", "selfie"]
    assert photos[2].scan.parent.name == "B" and photos[2].landmarks.suffix == ".pp"
    assert len(now_photos(root, limit=2)) == 2
    assert is_now(root) and not is_now(root.parent)


def test_the_scan_counts_near_the_nose_alone(root: Path) -> None:
    scan = read_scan(now_photos(root)[0])
    vertices, _, landmarks = head()
    np.testing.assert_allclose(scan.landmarks, landmarks, atol=1e-5)
    assert 100 < len(scan.surface.points) < len(vertices) / 2
    middle = landmarks[4] + 0.3 * (landmarks[1:3].mean(0) - landmarks[4])
    nose = np.linalg.norm(landmarks[1:3].mean(0) - landmarks[4])
    radius = 0.7 * (np.linalg.norm(landmarks[0] - landmarks[3]) + nose)
    assert np.linalg.norm(scan.surface.points - middle, axis=1).max() <= radius + 1e-3
    # The head looks along z, its left is at +x: picked points begin at the right eye.
    np.testing.assert_allclose(scan.axes(), np.eye(3), atol=0.3)


def test_normals_point_out_of_the_face_whichever_way_the_triangles_turn(root: Path) -> None:
    photo = now_photos(root)[0]
    before = read_scan(photo).surface.normals
    assert before[:, 2].mean() > 0.5
    vertices, triangles, _ = head()
    trimesh.Trimesh(vertices, triangles[:, ::-1], process=False).export(photo.scan)
    np.testing.assert_allclose(read_scan(photo).surface.normals, before, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no MeshLab file"),
        ("<PickedPoints><point x='1' y='2'/></PickedPoints>", "no MeshLab file"),
        ("<PickedPoints><point x='1' y='2' z='far'/></PickedPoints>", "no MeshLab file"),
        (picked_points(np.zeros((6, 3))), "must hold 7 points, got 6"),
    ],
)
def test_damaged_landmarks_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.pp").write_text(text)
    with pytest.raises(ValueError, match=rf"a\.pp.*{message}"):
        read_picked_points(tmp_path / "a.pp")


def test_what_is_missing_is_named(root: Path) -> None:
    (root / IMAGE_LIST).write_text("A/selfie/IMG_9.jpg\n")
    with pytest.raises(FileNotFoundError, match=r"IMG_9\.jpg is missing"):
        now_photos(root)
    (root / IMAGE_LIST).write_text("IMG_9.jpg\n")
    with pytest.raises(ValueError, match=r"'IMG_9\.jpg' is no SUBJECT/CHALLENGE/NAME"):
        now_photos(root)
    (root / IMAGE_LIST).write_text("\n")
    with pytest.raises(ValueError, match="names no photo"):
        now_photos(root)
    (root / IMAGE_LIST).write_text(LINES[0])
    next((root / SCANS / "A").glob("*.obj")).unlink()
    with pytest.raises(FileNotFoundError, match=r"holds no \*\.obj"):
        now_photos(root)


def test_landmarks_off_the_scan_are_an_error(root: Path) -> None:
    path = next((root / SCAN_LANDMARKS / "A").glob("*.pp"))
    path.write_text(picked_points(head()[2] + 5000))
    with pytest.raises(ValueError, match="has no vertex near the landmarks"):
        read_scan(now_photos(root)[0])


def write_mesh(folder: Path, line: str, noise: float, suffix: str = ".npy") -> Path:
    """The head in other units and another place, its vertices off by `noise` mm along z."""
    vertices, triangles, landmarks = head()
    rough = vertices + [0, 0, 1] * np.where(np.arange(len(vertices)) % 2, noise, -noise)[:, None]
    turn = rotation(0.5, 0.2, -0.1)
    path = (folder / line).with_suffix(".obj")
    path.parent.mkdir(parents=True, exist_ok=True)
    mesh = trimesh.Trimesh(rough @ turn.T / 1000 + 3, triangles, process=False)
    mesh.export(path, digits=10)
    points = landmarks @ turn.T / 1000 + 3
    if suffix == ".npy":
        np.save(path.with_suffix(".npy"), points)
    else:
        np.savetxt(path.with_suffix(".txt"), points)
    return path


def test_meshes_of_others_have_the_distance_that_they_were_given(
    root: Path, tmp_path: Path
) -> None:
    photos = now_photos(root)
    for line, suffix in zip(LINES, (".npy", ".txt", ".npy"), strict=True):
        write_mesh(tmp_path / "exact", line, 0.0, suffix)
    for line in LINES[:2]:
        write_mesh(tmp_path / "rough", line, 2.0)
    methods = [NowMeshes.open(name, tmp_path / name, photos) for name in ("exact", "rough")]
    evaluation = evaluate_now(photos, methods)
    numbers = now_numbers(evaluation)
    assert list(numbers) == ["all", "multiview_neutral", "selfie"]
    exact, rough = numbers["all"]["exact"], numbers["all"]["rough"]
    assert exact["mean"] < 0.02 and exact["median"] < 0.02 and exact["covered"] == 1
    assert (rough["found"], rough["photos"]) == (2, 3)
    assert 0.5 < rough["mean"] < 2.0 and rough["std"] > exact["std"]
    assert numbers["selfie"]["rough"]["found"] == 1 and numbers["selfie"]["exact"]["found"] == 2


def test_challenge_numbers_are_over_all_vertices_together(root: Path, tmp_path: Path) -> None:
    photos = now_photos(root)
    for line, noise in zip(LINES, (0.0, 0.0, 3.0), strict=True):
        write_mesh(tmp_path / "some", line, noise)
    evaluation = evaluate_now(photos, [NowMeshes.open("some", tmp_path / "some", photos)])
    pooled = np.concatenate([one.distances["some"] for one in evaluation.results])
    numbers = now_numbers(evaluation)["all"]["some"]
    assert numbers["mean"] == pytest.approx(pooled.mean())
    assert numbers["median"] == pytest.approx(np.median(pooled)) and numbers["median"] < 0.02
    assert numbers["std"] == pytest.approx(pooled.std())


def test_the_mean_head_is_placed_by_its_landmarks(root: Path) -> None:
    photo = now_photos(root)[0]
    candidate = NowMeanHead(procedural_head())(photo)["mean head"]
    found = align(read_scan(photo).surface, candidate.surface, candidate.starts(read_scan(photo)))
    assert found is not None and found[1].max() < 0.05
    assert found[0].scale == pytest.approx(10, rel=1e-3)


@pytest.mark.parametrize(("yaw", "wrong_by"), [(0.0, 8.0), (30.0, 8.0), (40.0, -30.0)])
def test_a_visible_part_without_landmarks_is_brought_onto_the_scan(
    root: Path, yaw: float, wrong_by: float
) -> None:
    photo = now_photos(root)[0]
    scan, (vertices, triangles, _) = read_scan(photo), head()
    turn = rotation(np.radians(yaw), 0.1, 0.05)
    seen = (vertices @ turn.T)[triangles]
    facing = np.cross(seen[:, 1] - seen[:, 0], seen[:, 2] - seen[:, 0])[:, 2] > 0
    near = seen[..., 2].mean(1) > 0
    part = Surface(vertices @ turn.T * 1.15, triangles[facing & near], is_part=True)
    # The pose is only roughly known, as from a depth map.
    frontal = rotation(np.radians(yaw + wrong_by), 0.0, 0.0).T
    candidate = Candidate(part, frontal)
    found = align(scan.surface, part, candidate.starts(scan))
    assert found is not None
    assert np.nanmedian(found[1]) < 0.3
    assert found[0].scale == pytest.approx(1 / 1.15, rel=0.03)


def test_stages_are_meshes_of_what_is_seen(root: Path, tiny_folder: Path) -> None:
    stages = NowStages(DF2NetPipeline.from_pretrained(tiny_folder), "none")
    found = stages(now_photos(root)[0])
    assert list(found) == ["dense", "fine", "finer"]
    one = found["finer"]
    assert one.landmarks is None and one.frontal is not None
    np.testing.assert_allclose(one.frontal @ one.frontal.T, np.eye(3), atol=1e-12)
    assert len(one.surface.triangles) <= 60_000
    assert np.ptp(one.surface.vertices[:, 0]) < CROP_SIZE


def test_landmarks_beside_a_mesh_are_checked(tmp_path: Path) -> None:
    mesh = tmp_path / "IMG.obj"
    with pytest.raises(FileNotFoundError, match=r"no landmarks beside it, IMG\.npy or IMG\.txt"):
        read_landmarks(mesh)
    np.save(tmp_path / "IMG.npy", np.zeros((6, 3)))
    with pytest.raises(ValueError, match=r"7 x 3 finite numbers, got shape \(6, 3\)"):
        read_landmarks(mesh)
    np.save(tmp_path / "IMG.npy", np.array([{"pickled": 1}]), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read as landmarks"):
        read_landmarks(mesh)


def test_a_folder_without_a_mesh_of_any_photo_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds a mesh of none of the 3 photos"):
        NowMeshes.open("other", tmp_path, now_photos(root))
