"""Every number on maps whose error is known."""

import cv2
import numpy as np
import pytest
from view_makers import MM_PER_PX, view, wrinkles

from df2net_hub.evaluating.methods import DepthMap, plane
from df2net_hub.evaluating.parts import BUT_EYES, PARTS, parts_of
from df2net_hub.evaluating.run import CURVE_MM, evaluate, measure
from df2net_hub.evaluating.views import Views


def measured(change, **parts):
    truth = view(**parts)
    found = measure(truth, DepthMap(change(truth.depth_mm), truth.mask))
    assert found is not None
    return found


def test_a_perfect_map_scores_zero_everywhere() -> None:
    found = measured(lambda depth: depth).values
    assert max(found[name] for name in ("mean", "std", "median", "largest90")) < 1e-4
    assert found["shift_only"] == 0 and found["normal_deg"] < 0.1 and found["detail_deg"] < 0.1
    assert found["covered"] == 1 and found["detail"] == pytest.approx(1, abs=1e-6)


def test_scale_and_shift_count_only_where_the_scale_is_held() -> None:
    found = measured(lambda depth: 0.5 * depth + 30).values
    truth = view()
    spread = truth.depth_mm[truth.mask] - np.median(truth.depth_mm[truth.mask])
    assert found["mean"] < 1e-4
    assert found["shift_only"] == pytest.approx(0.5 * np.abs(spread).mean(), rel=1e-3)
    assert found["normal_deg"] > 5


def test_a_known_offset_of_a_part_scores_that_offset_under_the_held_shift() -> None:
    def lift(depth: np.ndarray) -> np.ndarray:
        lifted = depth.copy()
        lifted[:24] += 8  # fewer than half of the pixels: the median shift stays
        return lifted

    truth = view()
    share = truth.mask[:24].sum() / truth.mask.sum()
    assert share < 0.5
    assert measured(lift).values["shift_only"] == pytest.approx(8 * share, rel=1e-4)


def test_outliers_do_not_move_the_fit() -> None:
    def hit(depth: np.ndarray) -> np.ndarray:
        out = 2 * depth - 5
        out[np.random.default_rng(1).random(depth.shape) < 0.2] += 300
        return out

    found = measured(hit)
    assert found.values["median"] < 1e-3
    assert np.nanpercentile(np.abs(found.nearer_mm), 70) < 1e-3


def test_wrinkles_count_in_the_detail_score_and_hardly_in_the_mean_depth() -> None:
    rough = view().depth_mm + wrinkles() * 0.5
    truth = view()
    truth = type(truth)(**{**vars(truth), "depth_mm": rough})
    smooth = measure(truth, DepthMap(view().depth_mm, truth.mask))
    right = measure(truth, DepthMap(rough * 1.0, truth.mask))
    assert smooth is not None and right is not None
    assert smooth.values["mean"] < 0.5
    assert smooth.values["detail"] < 0.7 < right.values["detail"]
    assert smooth.values["detail_deg"] > 5 > right.values["detail_deg"]


def test_the_curve_ends_where_all_pixels_are_counted() -> None:
    noise = np.random.default_rng(3).normal(0, 2, (64, 64))
    found = measured(lambda depth: depth + noise)
    assert found.curve[-1] == 1 and np.all(np.diff(found.curve) >= 0)
    at = int(np.searchsorted(CURVE_MM, found.values["median"]))
    assert found.curve[at] == pytest.approx(0.5, abs=0.04)  # a step of the curve is 0.1 mm


def test_an_eye_too_near_is_found_in_the_eye_and_nowhere_else() -> None:
    truth = view()
    eye = np.zeros(truth.mask.shape, np.uint8)
    cv2.fillPoly(eye, [np.rint(truth.landmarks[36:42]).astype(np.int32)], 1)
    cv2.fillPoly(eye, [np.rint(truth.landmarks[42:48]).astype(np.int32)], 1)
    # 8 mm are no inliers of RANSAC's, so the rest of the face is fitted exactly.
    lifted = measure(truth, DepthMap(truth.depth_mm + np.float32(8) * eye, truth.mask))
    level = measure(truth, DepthMap(truth.depth_mm, truth.mask))
    assert lifted is not None and level is not None
    assert list(lifted.parts) == [*PARTS, BUT_EYES]
    assert sum(lifted.parts[part]["share"] for part in PARTS) == pytest.approx(1)
    three = sum(lifted.parts[part]["share"] for part in ("nose", "mouth", "rest"))
    assert lifted.parts[BUT_EYES]["share"] == pytest.approx(three)
    assert lifted.parts[BUT_EYES]["mean"] < 0.01
    assert lifted.parts["eyes"]["nearer"] == pytest.approx(8, abs=0.01)
    assert lifted.parts["eyes"]["mean"] == pytest.approx(8, abs=0.01)
    for part in ("lids", "nose", "mouth", "rest"):
        assert lifted.parts[part]["mean"] < 0.01
    assert lifted.parts["lids"]["normal_deg"] > 5  # the step around the eye
    assert lifted.parts["mouth"]["normal_deg"] < 0.1
    assert max(part["normal_deg"] for part in level.parts.values()) < 0.1


def test_a_part_too_far_has_a_sign_and_a_hidden_one_no_numbers() -> None:
    truth = view()
    mouth = parts_of(truth.landmarks, truth.mask.shape, MM_PER_PX) == PARTS.index("mouth")
    sunk = measure(truth, DepthMap(truth.depth_mm - np.float32(8) * mouth, truth.mask))
    hidden = measure(truth, DepthMap(truth.depth_mm, truth.mask & ~mouth))
    assert sunk is not None and sunk.parts["mouth"]["nearer"] == pytest.approx(-8, abs=0.01)
    assert hidden is not None and set(PARTS) - set(hidden.parts) == {"mouth"}


def test_without_landmarks_there_are_no_parts() -> None:
    assert measured(lambda depth: depth, landmarks=None).parts == {}


def test_a_map_beside_the_mask_is_no_result() -> None:
    truth = view()
    assert measure(truth, DepthMap(truth.depth_mm, ~truth.mask)) is None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_map_of_nan_or_one_pixel_wide_is_no_result() -> None:
    truth = view()
    assert measure(truth, DepthMap(truth.depth_mm * np.nan, truth.mask)) is None
    line = np.zeros_like(truth.mask)
    line[32] = True
    assert measure(truth, DepthMap(truth.depth_mm, line)) is None


def known(shown: set[str]):
    """A method that is 3 mm rough, on the views named in `shown` only."""

    def method(given):
        if given.name not in shown:
            return {}
        return {"rough": DepthMap(given.depth_mm + 3 * wrinkles(), given.mask)}

    return method


def test_views_without_a_result_are_kept_and_the_numbers_repeat() -> None:
    names = ["a", "b", "c"]
    views = Views("made", "npz views", names, tuple(lambda n=n: view(n) for n in names))
    calls: list[int] = []
    first = evaluate(views, [plane, known({"a", "c"})], on_view=lambda: calls.append(1))
    again = evaluate(views, [plane, known({"a", "c"})])
    assert first.methods == ("plane", "rough") and len(calls) == 3
    assert ["rough" in result.methods for result in first.results] == [True, False, True]
    assert [r.methods for r in first.results] == [r.methods for r in again.results]
    assert first.results[0].bins == {"yaw": "15 to 30 deg"}
    assert list(first.mean_errors) == ["plane", "rough"]
    assert len(first.pictured) == 3 and MM_PER_PX == first.pictured[0].view.mm_per_px


def test_no_result_at_all_is_an_error() -> None:
    views = Views("made", "npz views", ["a"], (view,))
    with pytest.raises(ValueError, match="no method has a result on any of 1 views"):
        evaluate(views, [known(set())])
