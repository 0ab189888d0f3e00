"""Reading views: what each kind gives, and what is said when one will not do."""

from pathlib import Path

import numpy as np
import pytest
from set_makers import row
from view_makers import SIZE, dome, landmarks68, write_view

from df2net_hub.evaluating.sources import open_views
from df2net_hub.evaluating.views import read_npz_view
from df2net_hub.pairs import encode_row, write_rows


def test_a_folder_of_views_gives_them_in_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        write_view(tmp_path, name, light=np.array("left"), name=np.array("someone"))
    views = open_views(str(tmp_path), limit=2)
    assert views.names == ["a", "b"] and len(views) == 2 and views.kind == "npz views"
    first = views.loaders[0]()
    assert first.identity == "someone" and first.traits == {"yaw": 20.0, "light": "left"}
    assert first.mm_per_px == 2.0 and not first.is_crop
    np.testing.assert_array_equal(first.mask, dome()[1])


def test_landmarks_give_the_hull_of_jaw_and_brows(tmp_path: Path) -> None:
    path = write_view(tmp_path, "a", depth_mm=np.ones((SIZE, SIZE), np.float32))
    mask = read_npz_view(path, "landmarks").mask
    assert mask[SIZE // 2, SIZE // 2] and mask[int(SIZE * 0.8), SIZE // 2]
    assert not mask[2, 2] and not mask[int(SIZE * 0.25), SIZE // 2]
    points = np.zeros((478, 3), np.float32)
    points[162], points[454], points[152] = (5, 9, 1), (60, 9, 1), (30, 60, 1)
    path = write_view(tmp_path, "b", landmarks68=None, landmarks478=points)
    found = read_npz_view(path).landmarks
    assert found is not None
    np.testing.assert_array_equal(found[[0, 15, 8]], [[5, 9], [60, 9], [30, 60]])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"depth_mm": None}, "array 'depth_mm' is missing"),
        ({"depth_mm": np.full((SIZE, SIZE), np.nan)}, "only 0 pixels inside the mask"),
        ({"depth_mm": np.zeros((SIZE, 9))}, "'depth_mm' is .64, 9., the photo is .64, 64."),
        ({"photo": np.zeros((SIZE, SIZE, 3))}, "must be .H,W,3. uint8, got .64, 64, 3. float64"),
        ({"mm_per_px": 0.0}, "'mm_per_px' must be above 0, got 0.0"),
        ({"landmarks68": np.zeros((5, 2))}, "must be .68,2., got .5, 2."),
        ({"landmarks68": np.full((68, 2), np.nan)}, "landmarks hold NaN or infinity; all 68 are"),
    ],
)
def test_a_view_that_will_not_do_is_named(tmp_path: Path, changes: dict, words: str) -> None:
    path = write_view(tmp_path, "odd", **changes)
    with pytest.raises(ValueError, match=rf"odd\.npz.*{words}"):
        read_npz_view(path)


def test_landmarks_that_are_asked_for_and_missing_are_an_error(tmp_path: Path) -> None:
    path = write_view(tmp_path, "a", landmarks68=None)
    with pytest.raises(ValueError, match="no 'landmarks68'"):
        read_npz_view(path, "landmarks")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.npz"
    path.write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(ValueError, match=r"cut\.npz cannot be read"):
        read_npz_view(path)


def test_pairs_give_millimeters_and_traits(tmp_path: Path) -> None:
    size = 32
    mask = np.zeros((size, size), bool)
    mask[4:-4, 4:-4] = True
    depth = np.where(mask, 0.1, np.nan)
    depth[mask] += np.linspace(-0.1, 0.1, mask.sum())
    light = np.zeros((3, 9))
    light[:, 0], light[:, 1] = 1, 1.5
    made = encode_row(
        id="one",
        source="morphable",
        identity="person",
        image=np.full((size, size, 3), 90, np.uint8),
        albedo=np.full((size, size, 3), (240, 215, 200), np.uint8),
        mask=mask,
        depth=depth,
        light=light,
        landmarks=landmarks68(size),
        camera={"yaw": -33.0, "mm_per_px": 0.5},
        traits={"age": 0.9, "skin": "a+b", "mood": "smile"},
    )
    with open(tmp_path / "a.parquet", "wb") as file:
        write_rows([made], file)
    views = open_views(str(tmp_path))
    view = views.loaders[0]()
    assert views.names == ["one"] and view.is_crop and view.identity == "person"
    assert view.mm_per_px == pytest.approx(0.5 * 512 / size)
    expected = depth[mask] * 127.5 * 0.5
    np.testing.assert_allclose(view.depth_mm[mask], expected, atol=0.5 / 128)
    assert view.traits["yaw"] == -33 and view.traits["light"] == "front"
    assert view.traits["skin"] == "very light" and view.traits["mood"] == "smile"
    assert view.landmarks is not None and view.landmarks.shape == (68, 2)


def test_pairs_without_depth_are_no_truth(tmp_path: Path) -> None:
    with open(tmp_path / "a.parquet", "wb") as file:
        write_rows([row(0, source="fine")], file)
    with pytest.raises(ValueError, match="pair row-0000: depth or camera.mm_per_px is not known"):
        open_views(str(tmp_path)).loaders[0]()


def test_a_folder_without_views_and_a_name_that_is_none_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="neither .npz views nor .parquet"):
        open_views(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no folder 'nowhere'"):
        open_views("nowhere")
