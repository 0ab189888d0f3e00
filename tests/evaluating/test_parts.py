"""Places whose part is known."""

import numpy as np
import pytest
from view_makers import MM_PER_PX, SIZE, landmarks68

from df2net_hub.evaluating.parts import PARTS, parts_of


def labels(mm_per_px: float = MM_PER_PX, points: np.ndarray | None = None) -> np.ndarray:
    return parts_of(landmarks68() if points is None else points, (SIZE, SIZE), mm_per_px)


@pytest.mark.parametrize(
    ("x", "y", "part"),
    [
        (0.36, 0.4, "eyes"),
        (0.64, 0.4, "eyes"),
        (0.36, 0.47, "lids"),
        (0.64, 0.33, "lids"),
        (0.36, 0.54, "rest"),
        (0.5, 0.53, "nose"),
        (0.5, 0.7, "mouth"),
        (0.62, 0.7, "mouth"),
        (0.5, 0.8, "rest"),
        (0.05, 0.05, "rest"),
    ],
)
def test_places_of_a_face(x: float, y: float, part: str) -> None:
    assert PARTS[labels()[int(y * SIZE), int(x * SIZE)]] == part


def test_the_width_of_lids_is_in_millimeters() -> None:
    eyes, lids = PARTS.index("eyes"), PARTS.index("lids")
    fine, coarse = labels(1.0), labels(5.0)
    column = int(0.36 * SIZE)
    assert (fine[:, column] == eyes).sum() == (coarse[:, column] == eyes).sum()
    assert (fine[:, column] == lids).sum() == 10  # 5 px above and below
    assert (coarse[:, column] == lids).sum() == 2


def test_landmarks_outside_the_picture_leave_their_part_out() -> None:
    away = landmarks68()
    away[48:] += 10 * SIZE
    assert PARTS.index("mouth") not in labels(points=away)
    assert PARTS.index("eyes") in labels(points=away)
