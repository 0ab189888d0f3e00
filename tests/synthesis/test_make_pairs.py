"""Rendered pairs: maps that agree with each other, and sets that can be resumed."""

import numpy as np
import pytest

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.pairs import decode_pair, open_pairs
from df2net_hub.synthesis.make_pairs import RenderedPairs, make_pairs
from df2net_hub.synthesis.sampling import HeadSampler


@pytest.fixture(scope="module")
def sampler() -> HeadSampler:
    return HeadSampler.procedural()


def test_a_pair_depends_on_seed_and_index_alone(sampler):
    first, again, other = (sampler.pair(3, index, 64) for index in (5, 5, 6))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.depth, again.depth)
    assert (first.image != other.image).any()


def test_depth_is_known_on_the_mask_and_has_mean_zero_there(sampler):
    for index in range(4):
        pair = sampler.pair(0, index, 96)
        assert pair.mask.mean() > 0.04
        assert np.isfinite(pair.depth[pair.mask]).all()
        assert abs(pair.depth[pair.mask].mean()) < 1e-4


def test_relief_has_the_size_of_a_face(sampler):
    """A head is 15 to 20 cm deep from ear to nose at most, a face at least 3 cm."""
    pair = sampler.pair(1, 0, 96)
    relief_mm = np.ptp(pair.depth[pair.mask]) * DEPTH_UNIT_PX * pair.mm_per_px
    assert 30 < relief_mm < 200


def test_relief_in_units_of_the_crop_does_not_depend_on_the_resolution(sampler):
    small, large = sampler.pair(2, 1, 64), sampler.pair(2, 1, 128)
    np.testing.assert_allclose(
        np.ptp(small.depth[small.mask]), np.ptp(large.depth[large.mask]), rtol=0.1
    )


def test_a_set_holds_the_pairs_of_its_seed_and_grows(tmp_path, sampler):
    assert make_pairs(tmp_path, 2, size=32, seed=4).kept == 2
    assert make_pairs(tmp_path, 3, size=32, seed=4).kept == 3
    rows = open_pairs(str(tmp_path))
    assert rows["id"] == ["4-0000000", "4-0000001", "4-0000002"]
    assert rows["identity"] == ["4-0000000", "4-0000001", "4-0000002"]
    truth = sampler.pair(4, 2, 32)
    stored = decode_pair(rows[2])
    np.testing.assert_array_equal(stored["mask"], truth.mask)
    np.testing.assert_allclose(stored["depth"], truth.depth, atol=0.51 / 128 / DEPTH_UNIT_PX)
    np.testing.assert_allclose(rows[2]["camera"]["yaw"], truth.yaw, rtol=1e-6)


def test_the_maker_refuses_what_cannot_be_rendered():
    with pytest.raises(ValueError, match="size must be 32 px or more.*got 16"):
        RenderedPairs(size=16)
    with pytest.raises(ValueError, match="seed 0 or more.*-1"):
        RenderedPairs(seed=-1)


def test_a_missing_assets_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="docs/assets.md"):
        make_pairs(tmp_path, 1, assets=str(tmp_path / "none"))


@pytest.mark.parametrize(
    "added",
    ["head.npz", "skins/a.JPG", "light/environments.npz", "light/backgrounds/b.png",
     "sculpted.npz", "photo_skins/c.jpg", "photo_skins/creases/c.png"],
)  # fmt: skip
def test_a_set_of_other_ingredients_is_another_set(tmp_path, added):
    def recipe():
        return RenderedPairs(str(tmp_path)).recipe()

    before = recipe()
    (tmp_path / "notes.png").write_bytes(b"no ingredient")
    assert recipe() == before
    path = tmp_path / added
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"1")
    there = recipe()
    assert there["heads"] != before["heads"]
    path.write_bytes(b"12")
    assert recipe()["heads"] not in (before["heads"], there["heads"])


def test_crop_size_and_pixels_agree(sampler):
    """mm_per_px is given for the 512 crop, whatever the size rendered."""
    pair = sampler.pair(0, 0, 64)
    assert 0.3 < pair.mm_per_px < 0.8
    assert CROP_SIZE == 512
