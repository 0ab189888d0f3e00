"""Depth maps of others are read in their unit and sign; what will not do is named."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from view_makers import MM_PER_PX, view

from df2net_hub.evaluating.methods import Maps, Stages, plane
from df2net_hub.evaluating.run import measure
from df2net_hub.pipelines.df2net import DF2NetPipeline

PX = {"unit": "px", "step": 1.0, "nearer": "larger"}


def maps(folder: Path, statement: dict, values: np.ndarray, suffix: str = ".npy") -> Maps:
    folder.mkdir(exist_ok=True)
    (folder / "unit.json").write_text(json.dumps(statement))
    if suffix == ".npy":
        np.save(folder / "a.npy", values)
    else:
        cv2.imwrite(str(folder / f"a{suffix}"), values)
    return Maps.open("other", folder, ["a", "b"])


def test_the_truth_as_px_mm_and_distances_scores_zero(tmp_path: Path) -> None:
    truth = view("a")
    px = truth.depth_mm / MM_PER_PX
    mm = {"unit": "mm", "step": 1.0, "nearer": "larger", "mm_per_px": 2.0}
    distance = {"unit": "px", "step": 0.01, "nearer": "smaller"}
    stored = np.where(truth.mask, np.rint((300 - px) * 100), 0).astype(np.uint16)
    for number, one in enumerate(
        (
            maps(tmp_path / "0", PX, px),
            maps(tmp_path / "1", mm, truth.depth_mm),
            maps(tmp_path / "2", distance, stored, ".png"),
        )
    ):
        found = measure(truth, one(truth)["other"])
        assert found is not None
        assert found.values["mean"] < 0.02 and found.values["shift_only"] < 0.02, number
        assert found.values["covered"] == 1


def test_a_view_without_a_map_has_no_result(tmp_path: Path) -> None:
    assert maps(tmp_path / "m", PX, view().depth_mm)(view("b")) == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((64, 64), np.nan), "holds no depth: every value is NaN"),
        (np.zeros((64, 64), np.uint16), "holds no depth: every value is 0"),
        (np.ones((9, 64)), "is .9, 64., the photo of view a .64, 64."),
        (np.ones((64, 64), np.uint8), "must be one channel of 16-bit"),
        (np.ones((64, 64, 3)), "must be one channel of 16-bit"),
    ],
)
def test_a_map_that_will_not_do_is_named(tmp_path: Path, values, words: str) -> None:
    one = maps(tmp_path / "m", PX, values)
    with pytest.raises(ValueError, match=rf"a\.npy.*{words}"):
        one(view("a"))


def test_a_folder_without_statement_or_without_these_views_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder"):
        Maps.open("other", tmp_path / "none", ["a"])
    with pytest.raises(FileNotFoundError, match="unit.json is missing"):
        Maps.open("other", tmp_path, ["a"])
    (tmp_path / "unit.json").write_text(json.dumps(PX))
    with pytest.raises(FileNotFoundError, match="a map of none of the 2 views"):
        Maps.open("other", tmp_path, ["a", "b"])


def test_stages_lie_on_the_pixels_of_the_view(tiny_folder: Path) -> None:
    stages = Stages(DF2NetPipeline.from_pretrained(tiny_folder), "none")
    for is_crop in (False, True):
        truth = view("a")
        found = stages(type(truth)(**{**vars(truth), "is_crop": is_crop}))
        assert list(found) == ["plane", "dense", "fine", "finer"]
        for one in found.values():
            assert one.depth_mm.shape == one.mask.shape == truth.mask.shape
    assert found["dense"].covered is not None


def test_the_plane_is_flat_over_the_mask() -> None:
    found = plane(view())["plane"]
    assert not found.depth_mm.any() and found.mask.sum() == view().mask.sum()
