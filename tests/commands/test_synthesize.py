"""`df2net synthesize` on a folder of ingredients: what it refuses, what its card says of them."""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from filelock import FileLock

from df2net_hub.cli import main
from df2net_hub.synthesis.morphable import save_morphable
from df2net_hub.synthesis.procedural import procedural_head


@pytest.fixture(scope="module")
def ingredients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head with colors of its own, one environment, one background."""
    data = tmp_path_factory.mktemp("DATA")
    head = procedural_head()
    tone = np.tile(np.float32([0.5, 0.3, 0.2]), (len(head.vertices), 1))
    save_morphable(dataclasses.replace(head, colors=tone), data / "head.npz")
    (data / "light" / "backgrounds").mkdir(parents=True)
    cv2.imwrite(str(data / "light" / "backgrounds" / "b.jpg"), np.full((64, 128, 3), 90, np.uint8))
    np.savez(data / "light" / "environments.npz", radiance=np.ones((1, 64, 128, 3), np.float16))
    return data


def card(folder: Path) -> str:
    return (folder / "README.md").read_text()


def test_the_card_has_the_licenses_of_the_folder_or_says_that_it_states_none(
    ingredients: Path, tmp_path: Path
) -> None:
    words = ["synthesize", str(tmp_path), "--assets", str(ingredients)]
    words += ["--size", "32", "--count", "1"]
    assert main(words) == 0
    assert "The folder that `seed0` was made from states no licenses." in card(tmp_path)
    (ingredients / "LICENSES.txt").write_text("head: of formulas; CC0 1.0\n")
    assert main(words) == 0  # nothing is rendered anew
    assert "Made from:\n\n- head: of formulas; CC0 1.0\n- light: not stated\n" in card(tmp_path)
    recipe = json.loads((tmp_path / "seed0.json").read_text())["recipe"]
    assert recipe["licenses"] == ["head: of formulas; CC0 1.0", "light: not stated"]
    assert str(ingredients) not in card(tmp_path)


def test_rendering_loads_none_of_the_libraries_of_training() -> None:
    """Each worker would pay for them: torch alone takes seconds and hundreds of megabytes."""
    code = (
        "import sys, df2net_hub.synthesis.make_pairs, df2net_hub.shards\n"
        "from df2net_hub.synthesis.make_pairs import RenderedPairs\n"
        "RenderedPairs(size=32).open()(0)\n"
        "heavy = ('torch', 'accelerate', 'gradio', 'timm', 'datasets')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.strip()) == (0, "[]"), ran.stderr


def change_head(data: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    with np.load(data / "head.npz") as stored:
        arrays = dict(stored)
    np.savez(data / "head.npz", **{**arrays, name: change(arrays[name])})


def with_nan(array: np.ndarray) -> np.ndarray:
    array[3] = np.nan
    return array


def without_area(triangles: np.ndarray) -> np.ndarray:
    triangles[::3] = triangles[::3, :1]
    return triangles


def without_colors(data: Path) -> None:
    save_morphable(procedural_head(), data / "head.npz")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: change_head(data, "vertices", with_nan), "'vertices' holds NaN"),
        (lambda data: change_head(data, "identity", lambda a: a[:, :9]), "'identity' has shape"),
        (lambda data: change_head(data, "triangles", without_area), "triangles have no area"),
        (lambda data: cut_short(data / "head.npz"), "head.npz cannot be read"),
        (lambda data: cut_short(data / "light" / "environments.npz"), "environments.npz cannot be"),
        (lambda data: shutil.rmtree(data / "light"), "environments.npz; docs/assets.md"),
        (without_colors, "holds no skins/*.jpg; docs/assets.md"),
        (lambda data: (data / "skins" / "a.jpg").write_text("no picture"), "a.jpg is not a readab"),
    ],
    ids=["nan", "shape", "no area", "cut head", "cut light", "no light", "no skins", "bad skin"],
)
def test_what_is_wrong_for_every_pair_is_one_line_and_leaves_no_shard(
    ingredients: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    damage: Callable[[Path], object],
    words: str,
) -> None:
    data, out = tmp_path / "DATA", tmp_path / "pairs"
    shutil.copytree(ingredients, data)
    (data / "skins").mkdir()
    damage(data)
    ran = main(["synthesize", str(out), "--assets", str(data), "--size", "32", "--count", "1"])
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert ran == 1 and said.startswith("df2net synthesize: ") and words in said
    assert not list(out.glob("*.parquet")) and not list(out.glob(".*.tmp"))


def test_a_second_run_into_a_folder_where_one_works_ends_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["synthesize", str(tmp_path), "--size", "32", "--count", "1"]
    with FileLock(tmp_path / ".seed0.1of1.lock"):
        assert main(words) == 1
    assert "another run is writing set 'seed0'" in capfd.readouterr().err
    assert not list(tmp_path.glob("*.parquet"))
