"""Rendered pairs: maps that agree with each other, and sets that can be resumed."""

import numpy as np
import pytest

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.pairs import decode_pair, open_pairs
from df2net_hub.synthesis import make_pairs as module
from df2net_hub.synthesis.make_pairs import make_pairs, shard_name
from df2net_hub.synthesis.sampling import HeadSampler, rotation


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


def test_turning_the_head_by_yaw_moves_the_nose_to_the_right_of_the_picture():
    nose = rotation(np.radians(30), 0, 0) @ np.array([0, 0, 1.0])
    np.testing.assert_allclose(nose, [0.5, 0, 3**0.5 / 2], atol=1e-12)
    raised = rotation(0, np.radians(30), 0) @ np.array([0, 0, 1.0])
    np.testing.assert_allclose(raised, [0, 0.5, 3**0.5 / 2], atol=1e-12)


def test_a_set_is_completed_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_PER_SHARD", 2)  # only where the rest of a set begins
    done = []
    module._start_worker(None, 32)
    module._make_shard(str(tmp_path), 0, 2, 0, 32)
    before = (tmp_path / shard_name(0, 0)).read_bytes()
    made = make_pairs(tmp_path, 2, size=32, on_done=done.append)
    assert made == 0 and done == [2]
    assert (tmp_path / shard_name(0, 0)).read_bytes() == before
    pair = decode_pair(open_pairs(str(tmp_path))[0])
    assert pair["image"].shape == (32, 32, 3) and pair["mask"].any()


def test_a_missing_assets_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="docs/data.md"):
        make_pairs(tmp_path, 1, assets=str(tmp_path / "none"))


def test_crop_size_and_pixels_agree(sampler):
    """mm_per_px is given for the 512 crop, whatever the size rendered."""
    pair = sampler.pair(0, 0, 64)
    assert 0.3 < pair.mm_per_px < 0.8
    assert CROP_SIZE == 512
