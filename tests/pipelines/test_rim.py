"""The rim of a face evened: saws lose their teeth, and all else stays."""

import numpy as np

from df2net_hub.pipelines.rim import RINGS, even_rim


def cheek(slope: float) -> tuple[np.ndarray, np.ndarray]:
    """A plane that falls to the right by `slope`, cut by an outline that jumps by a pixel."""
    rows, columns = np.indices((80, 80))
    mask = (columns >= 10) & (columns < 60 + rows % 2) & (rows >= 10) & (rows < 70)
    return np.where(mask, 500 - slope * columns, 0).astype(np.float32), mask


def teeth(depth: np.ndarray, mask: np.ndarray) -> float:
    """Mean jump of the last height of a row to the next row's, away from the corners."""
    last = [depth[row, np.flatnonzero(mask[row])[-1]] for row in range(20, 60)]
    return float(np.abs(np.diff(last)).mean())


def test_an_outline_that_jumps_by_a_pixel_is_no_saw() -> None:
    depth, mask = cheek(8)
    assert teeth(depth, mask) == 8
    assert teeth(even_rim(depth, mask), mask) < 2


def test_what_is_not_rim_stays_as_it_is() -> None:
    depth, mask = cheek(8)
    evened = even_rim(depth, mask)
    inner = np.s_[10 + RINGS : 70 - RINGS, 10 + RINGS : 60 - RINGS]
    assert (evened[inner] == depth[inner]).all()
    assert (evened[~mask] == 0).all()
    assert evened.dtype == np.float32 and (depth == cheek(8)[0]).all()


def test_a_level_face_and_an_empty_mask_stay() -> None:
    depth, mask = cheek(0)
    np.testing.assert_allclose(even_rim(depth, mask), depth, atol=1e-3)
    nothing = np.zeros((8, 8), bool)
    assert (even_rim(np.ones((8, 8), np.float32), nothing) == 1).all()


def test_the_pictures_edge_is_an_edge_of_the_face() -> None:
    rows, columns = np.indices((40, 40))
    depth = (100 - 8.0 * columns + 4 * (rows % 2) * (columns > 36)).astype(np.float32)
    evened = even_rim(depth, np.ones((40, 40), bool))
    assert np.abs(np.diff(evened[10:30, -1])).mean() < 1
