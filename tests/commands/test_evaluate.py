"""`df2net evaluate` as a user runs it: what it writes, what it says when something will not do."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from view_makers import MM_PER_PX, dome, wrinkles, write_view

from df2net_hub import cli
from df2net_hub.evaluating.methods import STATEMENT
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

    page = (out / "report.md").read_text()
    assert "| exact | 4 of 4 | 0.00 [0.00, 0.00] |" in page and "## By yaw" in page
    assert "Without a result of rough: v2" in page and str(tmp_path) not in page
    assert "<table>" in (out / "report.html").read_text()
    for name in ("curves.png", "methods.png", "heatmaps.png"):
        assert f"]({name})" in page
        picture = cv2.imread(str(out / name))
        assert picture is not None and picture.std() > 5


def test_stages_and_the_mean_face_stand_beside_the_plane(
    views: Path, tmp_path: Path, tiny_folder: Path
) -> None:
    head = tmp_path / "head.npz"
    save_morphable(procedural_head(), head)
    out = tmp_path / "out"
    words = ["--model", tiny_folder, "--detector", "none", "--head", head, "--limit", 2, "-o", out]
    assert run(views, *words) == 0
    first = (out / "report.json").read_bytes()
    report = json.loads(first)
    assert list(report["methods"]) == ["mean face", "plane", "dense", "fine", "finer"]
    assert report["settings"]["views"] == 2 and report["reference"] == "finer"
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
