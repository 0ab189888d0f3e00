import numpy as np
import pytest

from df2net_hub.pipelines.face_mask import (
    box_around_mask,
    face_mask,
    is_well_placed,
)


def disk(size: int, row: float, column: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def test_the_mask_is_where_the_face_is_more_likely_than_not() -> None:
    expected = disk(64, 30, 33, 12)
    logits = np.where(expected, 0.1, -0.1)
    assert np.array_equal(face_mask(np.zeros((64, 64)), logits), expected)


def test_without_a_mask_head_the_mask_is_where_the_depth_leaves_the_background() -> None:
    expected = disk(64, 30, 33, 12)
    assert np.array_equal(face_mask(np.where(expected, -0.9, -0.99), None), expected)


def test_only_the_largest_part_stays_and_its_holes_are_filled() -> None:
    face = disk(64, 30, 33, 12)
    logits = np.where(face & ~disk(64, 30, 33, 4) | disk(64, 60, 4, 3), 5.0, -5.0)
    assert np.array_equal(face_mask(np.zeros((64, 64)), logits), face)


def test_a_mask_at_the_edge_of_the_crop_is_not_inverted() -> None:
    face = disk(64, 0, 33, 20)
    assert np.array_equal(face_mask(np.zeros((64, 64)), np.where(face, 1.0, -1.0)), face)


def test_no_face_gives_an_empty_mask() -> None:
    assert not face_mask(np.zeros((8, 8)), np.full((8, 8), -3.0)).any()


def test_the_box_around_a_mask_crops_it_as_in_training() -> None:
    mask = np.zeros((100, 100), bool)
    mask[20:49, 30:59] = True  # a square of 29 px: sides in proportion 0.58 : 1 to a crop of 50
    assert box_around_mask(mask) == pytest.approx((44.5 - 25, 34.5 - 25, 50))


def test_a_mask_is_well_placed_in_the_middle_at_the_size_of_training_only() -> None:
    assert is_well_placed(disk(100, 50, 50, 56 / np.sqrt(np.pi)))
    assert not is_well_placed(disk(100, 50, 50, 20 / np.sqrt(np.pi)))
    assert not is_well_placed(disk(100, 50, 50, 90 / np.sqrt(np.pi)))
    assert not is_well_placed(disk(100, 50, 70, 56 / np.sqrt(np.pi)))
