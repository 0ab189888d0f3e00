"""Each measure of a reconstruction, on faces whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from df2net_hub import teacher_checks as checks
from df2net_hub.teacher_checks import Seen, TeacherLimits, first_failed, limits_from, measures

SIZE = 256
COLUMNS, ROWS = np.meshgrid(np.arange(SIZE) - SIZE / 2 + 0.5, np.arange(SIZE) - SIZE / 2 + 0.5)


def relief(yaw: float = 0.0) -> np.ndarray:
    """A half ellipsoid of 70 x 90 x 60 px with a nose of 20 px, turned by `yaw` [deg]; NaN beside.

    Drawn by dropping points: the largest height in each pixel stays.
    """
    u, v = np.meshgrid(np.linspace(-1, 1, 700), np.linspace(-1, 1, 700))
    inside = u**2 + v**2 < 0.98
    x, y = 70 * u[inside], 90 * v[inside]
    z = 60 * np.sqrt(1 - u[inside] ** 2 - v[inside] ** 2)
    z = z + 20 * np.exp(-((x / 9) ** 2) - ((y - 5) / 20) ** 2)
    cos, sin = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    height = np.full((SIZE, SIZE), -np.inf)
    column = np.rint(x * cos + z * sin + SIZE / 2 - 0.5).astype(int)
    np.maximum.at(height, (np.rint(y + SIZE / 2 - 0.5).astype(int), column), z * cos - x * sin)
    return np.where(np.isfinite(height), height, np.nan)


def seen(height: np.ndarray | None = None) -> Seen:
    height = relief() if height is None else height
    mask = np.isfinite(height)
    filled = np.nan_to_num(height).astype(np.float32)
    share = np.where(mask, 0.99, 0.01)
    return Seen(filled, mask, share, filled, filled, (), 150.0)


def test_a_good_face_passes_every_check() -> None:
    good = seen()
    limits = replace(TeacherLimits(), most_relief=0.8)  # the ellipsoid bulges more than faces do
    assert first_failed(measures(good), limits) is None


def test_relief_is_height_over_width() -> None:
    assert checks.relief(seen()) == pytest.approx(0.5, abs=0.08)
    flat = seen(relief() * 0.1)
    assert first_failed(measures(flat), TeacherLimits()) == "too flat"
    deep = seen(relief() * 3)
    assert first_failed(measures(deep), TeacherLimits()) == "too much relief"


@pytest.mark.parametrize("yaw", [-20, 0, 15])
def test_the_turn_of_a_symmetric_face_is_found(yaw: float) -> None:
    turned = seen(relief(yaw))
    assert checks.turned_deg(turned) == pytest.approx(abs(yaw), abs=5)
    assert checks.asymmetry(turned) < 0.02


def test_a_bump_on_one_side_is_asymmetry() -> None:
    bump = 50 * np.exp(-(((COLUMNS - 35) / 20) ** 2) - (ROWS / 25) ** 2)
    lopsided = seen(relief() + bump)
    assert checks.asymmetry(lopsided) > 2 * checks.asymmetry(seen()) + 0.02


def test_symmetry_is_asked_for_only_where_the_face_looks_ahead() -> None:
    measured = {**measures(seen()), "asymmetry": 0.2, "relief": 0.5}
    assert first_failed({**measured, "turned_deg": 0.0}, TeacherLimits()) == "left and right differ"
    assert first_failed({**measured, "turned_deg": 20.0}, TeacherLimits()) is None


def test_a_bite_out_of_the_outline_is_no_convex_mask() -> None:
    height = relief()
    bitten = np.where((ROWS > 30) & (COLUMNS > 20), np.nan, height)
    assert checks.convexity(seen(height)) > 0.97
    assert checks.convexity(seen(bitten)) < 0.93


def test_a_piece_of_neck_is_a_ragged_outline() -> None:
    height = relief()
    neck = (np.abs(COLUMNS) < 10) & (ROWS > 60) & (ROWS < 112)
    with_neck = seen(np.where(neck & np.isnan(height), 20.0, height))
    assert checks.ragged(seen(height)) < 0.012
    added = with_neck.mask.sum() - seen(height).mask.sum()
    assert checks.ragged(with_neck) == pytest.approx(added / with_neck.mask.sum(), abs=0.012)
    assert checks.ragged(with_neck) > 0.021


def test_strays_and_holes_are_shares_of_the_face() -> None:
    face = seen()
    share = face.face_share.copy()
    share[:10, :10] = 0.9  # 100 px elsewhere
    share[120:130, 120:140] = 0.1  # 200 px inside
    spotted = replace(face, face_share=share)
    assert checks.strays(spotted) == pytest.approx(100 / face.mask.sum())
    assert checks.holes(spotted) == pytest.approx(200 / face.mask.sum())
    cut = face.mask.copy()
    cut[np.flatnonzero(face.mask.any(1))[-1] - 20 :] = False  # a neck that hangs on the face
    assert checks.strays(replace(face, mask=cut)) == 0


def test_doubt_is_the_expected_share_of_wrong_pixels() -> None:
    face = seen()
    unsure = replace(face, face_share=np.where(face.mask, 0.8, 0.0))
    assert checks.doubt(unsure) == pytest.approx(0.2 / 0.8)


def test_the_nearest_point_of_a_face_is_its_nose() -> None:
    assert checks.nose_off(seen()) < 0.03
    cheek = relief() + 60 * np.exp(-(((COLUMNS - 40) / 15) ** 2) - (ROWS / 15) ** 2)
    assert checks.nose_off(seen(cheek)) > 0.2


def test_flip_is_the_difference_beyond_scale_and_height() -> None:
    face = seen()
    assert checks.flip_px(replace(face, mirrored=face.dense * 1.3 - 40)) < 1e-3
    wave = np.where(COLUMNS > 0, 5.0, -5.0).astype(np.float32)
    off = checks.flip_px(replace(face, mirrored=face.dense + wave))
    assert off == pytest.approx(5, rel=0.2)


def test_the_worst_of_the_shifted_crops_counts_where_it_is_known() -> None:
    face = seen()
    half = np.where(COLUMNS > 0, np.nan, face.dense).astype(np.float32)
    assert checks.jitter_px(replace(face, jittered=(half,))) < 1e-3
    rough = face.dense + np.where((COLUMNS // 8) % 2 > 0, 3.0, -3.0).astype(np.float32)
    assert checks.jitter_px(replace(face, jittered=(half, rough))) == pytest.approx(3, rel=0.2)
    measured = {**measures(face), "relief": 0.5, "jitter_px": 9.0}
    assert first_failed(measured, TeacherLimits()) is None  # not asked for
    asked = TeacherLimits(most_jitter_px=4)
    assert first_failed(measured, asked) == "shifted crop gives another face"


def test_every_limit_is_used_and_can_be_set() -> None:
    used = {check.limit for check in checks.CHECKS} | {"most_turned_deg"}
    assert used == set(TeacherLimits.__dataclass_fields__)
    assert limits_from(["most_flip_px=2.5"]) == TeacherLimits(most_flip_px=2.5)
    with pytest.raises(ValueError, match="most_flip_px"):
        limits_from(["flip=2"])
    with pytest.raises(ValueError, match="must be a number"):
        limits_from(["most_flip_px=little"])


def test_a_measure_that_is_no_number_never_passes() -> None:
    measured = {**measures(seen()), "relief": 0.5, "flip_px": float("nan")}
    assert first_failed(measured, TeacherLimits()) == "mirrored photo gives another face"
