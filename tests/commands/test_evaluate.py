"""`df2net evaluate` as a user runs it: what it writes, what it says when something will not do."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from now_makers import head, write_now
from view_makers import MM_PER_PX, dome, wrinkles, write_view

from df2net_hub import cli
from df2net_hub.evaluating.methods import STATEMENT
from df2net_hub.evaluating.parts import BUT_EYES, PARTS
from df2net_hub.synthesis.morphable import save_morphable
from df2net_hub.synthesis.procedural import procedural_head


@pytest.fixture
def views(tmp_path: Path) -> Path:
    for number in range(4):
        yaw, light = 20.0 * (number % 2), np.array("left" if number < 2 else "right")
        write_view(tmp_path / "views", f"v{number}", yaw=yaw, light=light)
    return tmp_path / "views"


def write_maps(folder: Path, names: list[str], add_mm: np.ndarray | float) -> Path:
    folder.mkdir()
    (folder / STATEMENT).write_text('{"unit": "px", "step": 1.0, "nearer": "larger"}')
    for name in names:
        np.save(folder / f"{name}.npy", (dome()[0] + add_mm) / MM_PER_PX)
    return folder


def run(*words: object) -> int:
    return cli.main(["evaluate", *map(str, words)])


def test_maps_of_known_error_give_that_error_in_every_table_and_figure(
    views: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = write_maps(tmp_path / "exact", ["v0", "v1", "v2", "v3"], 7.0)
    rough = write_maps(tmp_path / "rough", ["v0", "v1", "v3"], 3 * wrinkles())
    out = tmp_path / "out"
    words = ["--no-model", "--maps", f"exact={exact}", "--maps", f"rough={rough}", "-o", out]
    assert run(views, *words) == 0
    shown = capsys.readouterr().out
    assert "| exact | 4 of 4 | 0.00 |" in shown and "| rough | 3 of 4 |" in shown

    report = json.loads((out / "report.json").read_text())
    methods = report["methods"]
    assert methods["exact"]["means"]["mean"]["mean"] < 1e-4
    assert methods["exact"]["means"]["shift_only"]["mean"] < 1e-4
    assert 1 < methods["rough"]["means"]["mean"]["mean"] < 3
    assert methods["rough"]["means"]["detail"]["mean"] < methods["exact"]["means"]["detail"]["mean"]
    assert (methods["rough"]["found"], methods["rough"]["views"]) == (3, 4)
    assert report["reference"] == "rough" and report["differences"]["exact"]["mean"]["high"] < 0
    assert list(report["bins"]["yaw"]) == ["0 to 15 deg", "15 to 30 deg"]
    assert report["bins"]["light"]["right"]["rough"]["found"] == 1
    assert report["views"]["v2"]["methods"]["rough"] is None
    assert list(report["parts"]) == [*PARTS, BUT_EYES]
    assert report["parts"]["nose"]["rough"]["found"] == 3
    assert report["parts"]["nose"]["exact"]["means"]["mean"]["mean"] < 1e-4
    assert 1 < report["views"]["v0"]["parts"]["rough"]["rest"]["mean"] < 3

    page = (out / "report.md").read_text()
    assert "| exact | 4 of 4 | 0.00 [0.00, 0.00] |" in page and "## By yaw" in page
    assert "| eyes | exact | 4 of 4 | 0.0" in page and "| too near mm | mean of that error" in page
    assert "Without a result of rough: v2" in page and str(tmp_path) not in page
    assert "<table>" in (out / "report.html").read_text()
    for name in ("curves.png", "methods.png", "heatmaps.png", "mean_errors.png"):
        assert f"]({name})" in page
        picture = cv2.imread(str(out / name))
        assert picture is not None and picture.std() > 5


def test_stages_and_the_mean_face_stand_beside_the_plane(
    views: Path, tmp_path: Path, tiny_folder: Path
) -> None:
    head = tmp_path / "head.npz"
    save_morphable(procedural_head(), head)
    out = tmp_path / "out"
    words = ["--model", tiny_folder, "--detector", "none", "--head", head, "--limit", 2]
    words += ["--seed", 3, "-o", out]
    assert run(views, *words) == 0
    first = (out / "report.json").read_bytes()
    report = json.loads(first)
    assert list(report["methods"]) == ["mean face", "plane", "dense", "fine", "finer"]
    assert report["settings"]["views"] == 2 and report["reference"] == "finer"
    command = "df2net evaluate views --model MODEL --head HEAD --limit 2 --detector none --seed 3"
    assert report["settings"]["command"] == command
    assert (out / "stages.png").is_file()
    assert run(views, *words) == 0
    assert (out / "report.json").read_bytes() == first  # RANSAC and bootstrap are seeded


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no folder 'nowhere'"),
        (["{views}", "--no-model"], "leaves nothing to judge"),
        (["{views}", "--maps", "prnet"], "--maps wants NAME=FOLDER"),
        (["{views}", "--maps", "fine=x"], "'fine' is a row of the report already"),
        (["{views}", "--no-model", "--maps", "a=none"], "no folder none"),
        (["{views}", "--head", "none.npz"], "no morphable model at none.npz"),
    ],
)
def test_what_will_not_do_is_said_on_one_line(
    views: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    out = tmp_path / "out"
    assert run(*(word.replace("{views}", str(views)) for word in words), "-o", out) == 1
    error = capsys.readouterr().err
    assert error.startswith("df2net evaluate: ") and said in error and error.count("\n") == 1
    assert not out.exists() or not any(out.iterdir())


def test_a_bad_view_ends_the_run_with_its_name_and_without_a_report(
    views: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_view(views, "v1", depth_mm=None)
    maps = write_maps(tmp_path / "maps", ["v0"], 0.0)
    assert run(views, "--no-model", "--maps", f"a={maps}", "-o", tmp_path / "out") == 1
    assert "v1.npz: array 'depth_mm' is missing" in capsys.readouterr().err
    assert not (tmp_path / "out" / "report.json").exists()


def test_a_folder_of_now_is_judged_the_challenges_way(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("scipy", reason="scipy is not installed")
    lines = ["A/multiview_neutral/IMG_1.jpg", "B/selfie/IMG_2.jpg"]
    root = write_now(tmp_path / "now", lines)
    vertices, triangles, landmarks = head()
    for line in lines[:1]:
        mesh = (tmp_path / "exact" / line).with_suffix(".ply")
        mesh.parent.mkdir(parents=True)
        trimesh.Trimesh(vertices, triangles, process=False).export(mesh)
        np.save(mesh.with_suffix(".npy"), landmarks)
    save_morphable(procedural_head(), tmp_path / "head.npz")
    words = ["--maps", f"exact={tmp_path / 'exact'}", "--head", tmp_path / "head.npz"]
    out = tmp_path / "out"
    assert run(root, "--model", tiny_folder, "--detector", "none", *words, "-o", out) == 0
    shown = capsys.readouterr().out
    assert "| mean head | 2 of 2 | 0.0" in shown and "| exact | 1 of 2 | 0.0" in shown

    report = json.loads((out / "report.json").read_text())
    assert list(report["methods"]) == ["all", "multiview_neutral", "selfie"]
    assert list(report["methods"]["all"]) == ["mean head", "dense", "fine", "finer", "exact"]
    assert report["methods"]["selfie"]["exact"] == {"photos": 1, "found": 0}
    assert report["views"]["A/multiview_neutral/IMG_1"]["exact"]["mean"] < 0.01
    page = (out / "report.md").read_text()
    assert "## selfie" in page and "](curves.png)" in page and str(tmp_path) not in page
    picture = cv2.imread(str(out / "curves.png"))
    assert picture is not None and picture.std() > 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--no-model"], "--no-model leaves nothing to judge"),
        (["--maps", "dense=x"], "'dense' is a row of the report already"),
        (["--maps", "other=nowhere"], "holds a mesh of none of the 1 photos"),
        (["--valid", "landmarks"], "--valid chooses pixels, and NoW compares surfaces"),
    ],
)
def test_what_cannot_be_judged_on_now_is_said(
    tmp_path: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("scipy", reason="scipy is not installed")
    root = write_now(tmp_path / "now", ["A/selfie/IMG_1.jpg"])
    assert run(root, *words, "-o", tmp_path / "out") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "report.md").exists()
