"""The command line: what it writes, what it says when something is wrong, and its exit statuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from df2net_hub import cli
from df2net_hub.batch import find_photos, output_stems
from df2net_hub.commands.doctor import packages_by_extra
from df2net_hub.demo_photo import demo_photo
from df2net_hub.pipelines.df2net import BUNDLED_WEIGHTS


class Ran:
    """Exit status and output of one `df2net` command."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def df2net(capfd: pytest.CaptureFixture[str]):
    """A function that takes the words of a command line, as the shell would."""

    def run(*argv: object) -> Ran:
        try:
            status = cli.main([str(word) for word in argv])
        except SystemExit as stop:  # argparse, for --help and usage errors
            status = int(stop.code or 0)
        return Ran(status, *capfd.readouterr())

    return run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "portrait.jpg"
    Image.open(demo_photo()).convert("RGB").save(path, quality=90)
    return path


@pytest.fixture
def reconstruct(df2net, tiny_folder: Path, tmp_path: Path):
    """`df2net reconstruct` with the tiny cascade, into tmp_path/out."""

    def run(*argv: object) -> Ran:
        return df2net("reconstruct", *argv, "--model", tiny_folder, "-o", tmp_path / "out")

    return run


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def assert_one_line(ran: Ran, *words: str) -> None:
    """One line on stderr that names what is wrong; no traceback."""
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("df2net")
    for word in words:
        assert word in lines[0]


def test_a_photo_gives_a_mesh_in_millimeters_and_a_preview(
    reconstruct, photo: Path, tmp_path: Path
) -> None:
    ran = reconstruct(photo)
    assert (ran.status, ran.err) == (0, "")
    assert "1 face -> " in ran.out and "portrait.glb" in ran.out
    assert written(tmp_path / "out") == ["portrait.glb", "portrait_preview.png"]
    mesh = trimesh.load(tmp_path / "out" / "portrait.glb", force="mesh")
    assert len(mesh.faces) > 1000
    assert np.asarray(Image.open(tmp_path / "out" / "portrait_preview.png")).ndim == 3


def test_every_format_that_is_asked_for_is_written(
    reconstruct, photo: Path, tmp_path: Path
) -> None:
    assert reconstruct(photo, "--formats", "obj,ply,npy").status == 0
    suffixes = {Path(name).suffix for name in written(tmp_path / "out")}
    assert suffixes == {".obj", ".mtl", ".png", ".ply", ".npy"}


def test_a_box_is_taken_as_the_one_face(reconstruct, tmp_path: Path) -> None:
    gray = tmp_path / "gray.png"
    Image.new("RGB", (300, 200), (120, 120, 120)).save(gray)
    assert reconstruct(gray, "--box", 50, 20, 150).status == 0
    assert written(tmp_path / "out") == ["gray.glb", "gray_preview.png"]


def test_one_bad_photo_among_many_is_reported_at_the_end_and_stops_nothing(
    reconstruct, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "a_text.jpg").write_text("no photograph")
    ran = reconstruct(tmp_path)
    assert ran.status == 1
    assert_one_line(ran, "a_text.jpg")
    assert written(tmp_path / "out") == ["portrait.glb", "portrait_preview.png"]


def truncated(path: Path) -> None:
    Image.open(demo_photo()).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("text.jpg", lambda path: path.write_text("not a picture")),
        ("empty.png", lambda path: path.write_bytes(b"")),
        ("truncated.jpg", truncated),
        ("dot.png", lambda path: Image.new("RGB", (1, 1)).save(path)),
        ("missing.jpg", lambda path: None),
    ],
)
def test_a_file_that_is_no_photo_gives_one_line_and_no_file(
    reconstruct, tmp_path: Path, name: str, make
) -> None:
    make(tmp_path / name)
    ran = reconstruct(tmp_path / name)
    assert ran.status == 1
    assert_one_line(ran, name)
    assert written(tmp_path / "out") == []


def test_a_photo_without_a_face_has_an_exit_status_of_its_own(reconstruct, tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.new("RGB", (300, 200), (120, 120, 120)).save(path)
    ran = reconstruct(path)
    assert ran.status == 3
    assert_one_line(ran, "no face found in", "wall.png", "--box X Y SIDE")
    assert written(tmp_path / "out") == []


def test_an_output_folder_that_cannot_be_written_is_said_before_any_work(
    df2net, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    ran = df2net("reconstruct", photo, "-o", tmp_path / "file" / "out", "--model", "not/read")
    assert ran.status == 1
    assert_one_line(ran, "cannot write to the folder", "file/out", "name another one")


def test_a_model_folder_that_is_not_there_is_named(df2net, photo: Path, tmp_path: Path) -> None:
    ran = df2net("reconstruct", photo, "-o", tmp_path / "out", "--model", "no/such/folder")
    assert ran.status == 1
    assert_one_line(ran, "no folder 'no/such/folder'")


@pytest.mark.parametrize("damage", ["key", "weights", "name"])
def test_a_damaged_model_folder_gives_one_line_that_names_the_damage(
    df2net, photo: Path, tiny_folder: Path, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    if damage == "weights":
        path = folder / "dense" / "model.safetensors"
        path.write_bytes(path.read_bytes()[:1000])
        words = ["dense/model.safetensors", "damaged"]
    elif damage == "key":
        path = folder / "dense" / "config.json"
        path.write_text(path.read_text().replace('"levels"', '"lvels"'))
        words = ["dense/config.json", "unknown config key 'lvels'"]
    else:
        path = folder / "model_index.json"
        index = json.loads(path.read_text())
        path.write_text(json.dumps(index | {"fine": "fnet_bsae"}))
        words = ["no model named 'fnet_bsae'", "fnet_base"]
    ran = df2net("reconstruct", photo, "-o", tmp_path / "out", "--model", folder)
    assert ran.status == 1
    assert_one_line(ran, *words)
    assert written(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["reconstruct"], "the following arguments are required: photos"),
        (["reconstruct", "x.jpg", "--formats", "glb,fbx"], "unknown format 'fbx'"),
        (["reconstruct", "x.jpg", "--box", "1", "2"], "expected 3 arguments"),
        (["reconstuct"], "invalid choice: 'reconstuct'"),
        ([], "the following arguments are required: VERB"),
    ],
)
def test_a_wrong_command_line_exits_with_2(df2net, argv: list[str], words: str) -> None:
    ran = df2net(*argv)
    assert ran.status == 2
    assert words in ran.err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--detector", "dlbi"], ["dlbi", "dlib"]),
        (["--device", "cuda:99"], ["cannot use the device 'cuda:99'", "df2net doctor"]),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(
    reconstruct, photo: Path, argv: list[str], words: list[str]
) -> None:
    ran = reconstruct(photo, *argv)
    assert ran.status == 1
    assert_one_line(ran, *words)


def test_photos_of_one_name_do_not_overwrite_each_other() -> None:
    photos = [Path("a/face.jpg"), Path("b/face.jpg"), Path("face.png"), Path("c/face-2.jpg")]
    assert output_stems(photos) == ["face", "face-2", "face-3", "face-2-2"]
    # The second face of team.jpg is written as team-face2; some disks know no capitals.
    photos = list(map(Path, ("team.jpg", "team-face2.jpg", "a/Team.JPG", "team-facelift.png")))
    assert output_stems(photos) == ["team", "team-face2-2", "Team-2", "team-facelift"]
    assert output_stems([Path("x-face2.jpg"), Path("x.jpg")]) == ["x-face2", "x-2"]
    cut_outs = [Path("x-face2.jpg"), Path("x-face3.jpg"), Path("X-FACE3.jpg")]
    assert output_stems(cut_outs) == ["x-face2", "x-face3", "X-FACE3-2"]


def test_photos_are_found_in_files_folders_and_patterns_once_each(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.PNG", "notes.txt", "sub/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_photos([str(tmp_path / "b.jpg"), str(tmp_path), str(tmp_path / "**" / "*.jpg")])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "b.jpg",
        "a.PNG",
        "sub/c.jpg",
    ]


def test_a_folder_or_pattern_without_photos_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no photograph in the folder"):
        find_photos([str(tmp_path)])
    with pytest.raises(ValueError, match="no file matches the pattern"):
        find_photos([str(tmp_path / "*.jpg")])


def test_a_name_with_brackets_is_a_file_if_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "me[1].jpg").touch()
    assert find_photos([str(tmp_path / "me[1].jpg")]) == [tmp_path / "me[1].jpg"]


def test_the_help_lists_every_verb_and_every_exit_status(df2net) -> None:
    ran = df2net("--help")
    assert ran.status == 0
    for word in [*cli.VERBS, "  0  ", "  1  ", "  2  ", "  3  "]:
        assert word in ran.out


@pytest.mark.parametrize("verb", cli.VERBS)
def test_the_help_of_a_verb_teaches_with_examples(df2net, verb: str) -> None:
    ran = df2net(verb, "--help")
    assert ran.status == 0
    assert f"examples:\n  df2net {verb}" in ran.out


def test_models_prints_the_zoo(df2net) -> None:
    ran = df2net("models")
    assert ran.status == 0
    for name in ("dnet_base", "fnet_small", "frnet_base", "df2net_small"):
        assert name in ran.out
    assert "54,594,784" in ran.out


def test_convert_says_what_is_wrong_with_a_wrong_file(df2net, tmp_path: Path) -> None:
    (tmp_path / "DF2Net.pth.tar").write_text("no checkpoint")
    ran = df2net("convert", tmp_path / "DF2Net.pth.tar", tmp_path / "out")
    assert ran.status == 1
    assert_one_line(ran, "DF2Net.pth.tar is not a PyTorch checkpoint")
    assert not (tmp_path / "out").exists()


def test_push_publishes_nothing_that_does_not_load(df2net, tmp_path: Path) -> None:
    ran = df2net("push", tmp_path / "gone", "owner/name")
    assert ran.status == 1
    assert_one_line(ran, "no folder", "gone")
    (tmp_path / "model_index.json").write_text("{}")
    ran = df2net("push", tmp_path, "owner/name")
    assert ran.status == 1
    assert_one_line(ran, "config key 'dense' is missing")


def test_push_without_a_connection_is_said_on_one_line(tiny_folder: Path) -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("df2net"), "push", tiny_folder, "owner/name"],
        env=os.environ | {"HF_ENDPOINT": "http://127.0.0.1:1", "HF_TOKEN": "hf_x"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 1
    assert f"{tiny_folder} was not uploaded to owner/name" in ran.stderr
    assert "Traceback" not in ran.stderr and "tries again" in ran.stderr


def test_doctor_names_no_package_that_another_python_would_need() -> None:
    listed = packages_by_extra()
    names = [line.split()[0] for line in listed["extra 'train'"]]
    assert "datasets" in names and ("tomli" in names) == (sys.version_info < (3, 11))
    assert any(line.split()[0] == "torch" for line in listed["base install"])


def test_doctor_tells_versions_devices_and_extras(df2net) -> None:
    ran = df2net("doctor")
    assert ran.status == (0 if BUNDLED_WEIGHTS.is_dir() else 1)
    for word in ("python", "torch", "dlib-bin", "cpu (", "extra 'train'", "bundled weights"):
        assert word in ran.out


def test_the_installed_command_passes_its_exit_status_on(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("df2net")
    ran = subprocess.run(
        [command, "reconstruct", tmp_path / "*.jpg"], capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert "no file matches the pattern" in ran.stderr


@pytest.mark.skipif(not BUNDLED_WEIGHTS.is_dir(), reason="the bundled weights are not there")
def test_the_demo_needs_no_network(df2net, tmp_path: Path, monkeypatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # nothing listens there
    ran = df2net("demo", "-o", tmp_path / "out")
    assert (ran.status, ran.err) == (0, "")
    assert written(tmp_path / "out") == ["astronaut.glb", "astronaut_preview.png"]
