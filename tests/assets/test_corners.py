"""Corners of eyes and mouth: laid back as far as the model's, and nothing else is moved."""

from dataclasses import replace

import numpy as np
import pytest

from df2net_hub.assets.corners import INNER, LAID_BACK, with_corners_of
from df2net_hub.synthesis.procedural import procedural_head, procedural_sculpted
from df2net_hub.synthesis.sculpted import SculptedHeads, placed

pytest.importorskip("scipy", reason="scipy carries the landmarks' ways")

HEAD = procedural_head()
MARKS = HEAD.landmarks68
STAYS = np.setdiff1d(INNER, [*LAID_BACK, *range(60, 68)])


@pytest.fixture(scope="module")
def flat() -> SculptedHeads:
    """The model's own head with corners of the eyes and the mouth 3 mm too near."""
    sculpted = procedural_sculpted(HEAD)
    vertices = HEAD.vertices.copy()
    corners = HEAD.vertices[MARKS[[36, 39, 42, 45, 48, 54]]]
    away = np.square(vertices[:, None] - corners).sum(-1).min(1)
    vertices[:, 2] += 0.3 * np.exp(-away / (2 * 0.5**2))
    return replace(sculpted, vertices=vertices, targets=0 * sculpted.targets)


def too_near(heads: SculptedHeads) -> np.ndarray:
    """(68,) how far [cm] landmarks of the placed head lie before the model's."""
    return (placed(heads.vertices, HEAD.vertices, MARKS) - HEAD.vertices)[MARKS, 2]


def test_corners_that_lie_too_near_are_laid_back(flat: SculptedHeads) -> None:
    laid_back = with_corners_of(flat, HEAD)
    before, after = too_near(flat), too_near(laid_back)
    assert before[[36, 39, 42, 45, 48, 54]].min() > 0.2
    assert np.abs(after[LAID_BACK]).max() < 0.07 and np.abs(after[LAID_BACK]).mean() < 0.04
    # What stays is moved by no more than a landmark beside it asks for.
    assert np.abs((laid_back.vertices - flat.vertices)[MARKS[STAYS], 2]).max() < 0.07


def test_only_depth_changes_and_only_around_eyes_and_mouth(flat: SculptedHeads) -> None:
    laid_back = with_corners_of(flat, HEAD)
    np.testing.assert_array_equal(laid_back.targets, flat.targets)
    assert laid_back.names == flat.names
    way = laid_back.vertices - flat.vertices
    np.testing.assert_array_equal(way[:, :2], 0)
    far = np.square(HEAD.vertices[:, None] - HEAD.vertices[MARKS[INNER]]).sum(-1).min(1) > 5**2
    assert far.sum() > 100 and np.abs(way[far]).max() < 1e-4


def test_a_head_with_the_models_corners_stays(flat: SculptedHeads) -> None:
    same = replace(flat, vertices=HEAD.vertices)
    np.testing.assert_allclose(with_corners_of(same, HEAD).vertices, HEAD.vertices, atol=1e-4)


def test_it_is_the_mean_of_people_that_is_laid_back(flat: SculptedHeads) -> None:
    """Targets that hold everybody's corners forward count, though the base head's are right."""
    away = flat.vertices - HEAD.vertices
    forward = SculptedHeads(HEAD.vertices, np.stack([away] * 12), tuple(
        f"{origin}-{gender}-{years}"
        for origin in ("african", "asian", "caucasian")
        for gender in ("female", "male")
        for years in ("young", "old")
    ))  # fmt: skip
    moved = with_corners_of(forward, HEAD)
    np.testing.assert_allclose(
        (moved.vertices - HEAD.vertices)[:, 2],
        (with_corners_of(flat, HEAD).vertices - flat.vertices)[:, 2],
        atol=0.02,
    )
