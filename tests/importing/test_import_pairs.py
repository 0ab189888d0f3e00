"""`df2net import-pairs` from the words of its command line to the shards and what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from df2net_hub import cli
from df2net_hub.demo_photo import demo_photo
from df2net_hub.pairs import decode_pair, open_pairs
from df2net_hub.teacher_checks import TeacherLimits

CENTER = (130.0, 110.0)


class Ran:
    """Exit status and output of one command."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def import_pairs(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    """A function that takes the words after `df2net import-pairs`; the set is tmp_path/set."""

    def run(*argv: object) -> Ran:
        words = [*map(str, argv), "-o", str(tmp_path / "set"), "--size", "64"]
        try:
            status = cli.main(["import-pairs", *words, "--detector", "none"])
        except SystemExit as stop:
            status = int(stop.code or 0)
        return Ran(status, *capfd.readouterr())

    return run


@pytest.fixture
def meshes(ellipsoid, tmp_path: Path) -> Path:
    """Good meshes `good0` and `good1`, and one of every bad kind, each with its photo."""
    folder = tmp_path / "meshes"
    folder.mkdir()
    turn = ellipsoid.turn(10)
    photo = Image.fromarray(ellipsoid.photo(260, 220, CENTER, turn))
    good = trimesh.Trimesh(ellipsoid.vertices, ellipsoid.triangles, process=False)
    ply = good.export(file_type="ply")
    stated = {"kind": "weak", "scale": 1, "rotation": turn.tolist(), "shift": CENTER}
    for name in ("good0", "good1", "alone", "cut", "far", "nan", "nocamera", "badcamera"):
        photo.save(folder / f"{name}.jpg", quality=95)
        (folder / f"{name}.ply").write_bytes(ply)
        (folder / f"{name}.json").write_text(json.dumps({**stated, "frontal": True}))
    (folder / "alone.ply").unlink()
    (folder / "cut.ply").write_bytes(ply[: len(ply) // 2])
    (folder / "far.json").write_text(json.dumps({**stated, "shift": [900, 110]}))
    vertices = ellipsoid.vertices.copy()
    vertices[5] = np.nan
    trimesh.Trimesh(vertices, ellipsoid.triangles, process=False).export(folder / "nan.ply")
    (folder / "nocamera.json").unlink()
    (folder / "badcamera.json").write_text('{"kind": "weak"}')
    (folder / "nophoto.jpg").write_bytes(b"no picture")
    (folder / "nophoto.ply").write_bytes(ply)
    return folder


def test_bad_inputs_are_rejections_with_reasons_and_good_ones_are_kept(
    import_pairs, meshes: Path, tmp_path: Path
) -> None:
    ran = import_pairs(meshes, "--from", "mesh", "--view", "photo")
    assert ran.status == 0, ran.err
    for name, reason in (
        ("alone", "no geometry for the photo"),
        ("cut", ".ply file"),
        ("far", "outside the photo"),
        ("nan", "not finite"),
        ("nocamera", "without a camera"),
        ("badcamera", "camera file that says too little"),
        ("nophoto", "photo that cannot be read"),
    ):
        (line,) = [line for line in ran.out.splitlines() if line.endswith(f": {name}")]
        assert reason in line
    pairs = open_pairs(str(tmp_path / "set"))
    assert sorted(pairs["id"]) == ["good0", "good1"]
    pair = decode_pair(pairs[0])
    assert (np.isfinite(pair["depth"]) == pair["mask"]).all() and pair["mask"].mean() > 0.1
    assert pairs[0]["source"] == "reconstructed"
    assert str(tmp_path) not in (tmp_path / "set" / "README.md").read_text()


def test_the_same_command_again_makes_nothing_new(import_pairs, meshes: Path) -> None:
    first = import_pairs(meshes, "--from", "mesh")
    again = import_pairs(meshes, "--from", "mesh")
    assert first.status == again.status == 0
    assert "0 of 9 inputs made now" in again.out
    # Another view is another set: it is not mixed in.
    other = import_pairs(meshes, "--from", "mesh", "--view", "photo")
    assert other.status == 1 and "view" in other.err


def test_a_folder_of_nothing_but_bad_files_is_an_error(import_pairs, tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    Image.new("RGB", (64, 64)).save(folder / "a.jpg")
    np.save(folder / "a_depth.npy", np.zeros((32, 32), np.float32))
    statement = '{"unit": "px", "step": 1, "nearer": "larger"}'
    ran = import_pairs(folder, "--from", "depth", "--depth", statement)
    assert ran.status == 1
    assert "another size than its photo: a" in ran.out
    assert "not one of 1 photos gave a pair" in ran.err


def test_a_folder_where_nothing_fits_says_the_layout(import_pairs, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.jpg")
    ran = import_pairs(tmp_path, "--from", "prnet", "--view", "photo")
    assert ran.status == 1 and "NAME.obj (vertex colors)" in ran.err
    ran = import_pairs(tmp_path / "none", "--from", "extreme3d")
    assert ran.status == 1 and "no folder" in ran.err and "3D/NAME_withBump" in ran.err
    ran = import_pairs(tmp_path / "none", "--from", "teacher")
    assert ran.status == 1 and "folder of photos" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "prnet"], "frontal reference"),
        (["--from", "depth"], "unit and sign"),
        (["--from", "prnet", "--camera", "{}"], "--camera is for --from mesh"),
        (["--from", "teacher", "--view", "photo"], "--view is for"),
        (["--from", "teacher", "--limit", "wit=3"], "no limit named 'wit'"),
        (["--from", "depth", "--turns", "2"], "--turns is for --from teacher"),
        (["--from", "teacher", "--seed", "3"], "--turns N as well"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    import_pairs, meshes: Path, words: list[str], said: str
) -> None:
    for name in ("good0", "good1"):  # something for every layout to find
        (meshes / f"{name}.obj").write_text("v 0 0 0\n")
        np.save(meshes / f"{name}_depth.npy", np.zeros((4, 4)))
    ran = import_pairs(meshes, *words)
    assert ran.status == 1 and said in ran.err


def test_the_teachers_rejections_are_counted(
    import_pairs, tiny_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (100, 100), "gray").save(folder / "gray.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    ran = import_pairs(folder, "--from", "teacher", "--model", tiny_folder)
    assert ran.status == 1
    assert "photo that cannot be read: broken" in ran.out
    assert "face too small in the photo: gray" in ran.out
    recipe = json.loads((tmp_path / "set" / "teacher.json").read_text())["recipe"]
    assert recipe["made_by"] == "teacher"
    assert recipe["model"].startswith(f"{tiny_folder.name} sha256:")
    assert str(tiny_folder) not in (tmp_path / "set" / "README.md").read_text()


def test_photos_and_their_turns_become_pairs(
    import_pairs, tiny_folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("skimage")
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "person.png").write_bytes(Path(demo_photo()).read_bytes())
    (folder / "broken.jpg").write_bytes(b"no picture")
    anything = [
        word
        for name in TeacherLimits.__dataclass_fields__
        if name != "most_jitter_px"
        for word in ("--limit", f"{name}={'-1e9' if name.startswith('least') else '1e9'}")
    ]
    words = ["--from", "teacher", "--model", tiny_folder]
    ran = import_pairs(folder, *words, "--turns", 2, "--seed", 3, *anything)
    assert ran.status == 0, ran.err
    rows = open_pairs(tmp_path / "set")
    assert [rows[i]["id"] for i in range(3)] == ["person", "person-turned1", "person-turned2"]
    assert len(rows) == 3 and ran.out.count("broken") == 1
    recipe = json.loads((tmp_path / "set" / "teacher.json").read_text())["recipe"]
    assert (recipe["turns"], recipe["seed"], recipe["light"]) == (2, 3, "plain skies")
    assert "--turns 2 --seed 3" in recipe["command"] and "--detector none" in recipe["command"]
    assert "turned and lit anew" in (tmp_path / "set" / "README.md").read_text()
