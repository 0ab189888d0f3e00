"""Creases: furrows go inward, age and expression deepen them, left and right differ."""

from dataclasses import replace

import numpy as np
import pytest

from df2net_hub.synthesis.appearance import procedural_assets
from df2net_hub.synthesis.expressions import MOODS, Expression, neutral, sample_expression
from df2net_hub.synthesis.face_map import FaceMap, face_map
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.wrinkles import (
    DEEPEST_CM,
    KINDS,
    VARIANTS,
    WrinkleKit,
    crease_weights,
    wrinkle_kit,
)

MODEL = procedural_head()
CALM = neutral(MODEL)


@pytest.fixture(scope="module")
def face() -> FaceMap:
    return face_map(MODEL)


@pytest.fixture(scope="module")
def kit(face: FaceMap) -> WrinkleKit:
    return wrinkle_kit(face, procedural_assets().noise)


def mean_weight(kind: str, age: float, expression: Expression) -> float:
    k = KINDS.index(kind)
    draws = [crease_weights(np.random.default_rng(i), age, expression)[k] for i in range(40)]
    return float(np.mean(draws))


def test_creases_lie_below_the_skin_and_stay_within_millimeters(kit: WrinkleKit) -> None:
    for seed in range(4):
        height, _ = kit.sample(np.random.default_rng(seed), 1.0, CALM)
        assert -0.8 < height.min() < -0.05 and height.max() < 0.4
        assert height.min() < -height.max() * 0.8


def test_there_is_nothing_off_the_face_and_furrows_of_every_kind_on_it(
    kit: WrinkleKit, face: FaceMap
) -> None:
    assert not kit.maps[:, :, ~face.inside].any()
    for k, name in enumerate(KINDS):
        assert kit.maps[k].min() < -0.2, name
    assert (DEEPEST_CM > 0).all() and len(DEEPEST_CM) == len(KINDS)


@pytest.mark.parametrize("kind", ["forehead", "crow", "fold", "marionette", "lips", "bag"])
def test_age_deepens_creases(kind: str) -> None:
    assert mean_weight(kind, 0.95, CALM) > mean_weight(kind, 0.1, CALM) + 0.3


@pytest.mark.parametrize(
    ("kind", "cause"),
    [("forehead", "raised"), ("frown", "frowning"), ("crow", "squinting"), ("fold", "smiling")],
)
def test_an_expression_deepens_its_own_creases(kind: str, cause: str) -> None:
    causes = {name: 0.0 for name in ("raised", "frowning", "squinting", "smiling", "shut")} | {
        cause: 1.0
    }
    moved = Expression("any", CALM.weights, **causes)
    assert mean_weight(kind, 0.3, moved) > mean_weight(kind, 0.3, CALM) + 0.15


def test_the_young_have_folds_around_eyes_and_nose_and_shut_eyes_hardly_any() -> None:
    shut = replace(CALM, shut=1.0)
    assert mean_weight("lid", 0.0, CALM) > 0.4
    assert mean_weight("lid", 0.0, shut) == pytest.approx(0.25 * mean_weight("lid", 0.0, CALM))
    assert mean_weight("under_eye", 0.0, CALM) > 0.25
    assert mean_weight("wing", 0.0, CALM) > 0.3


def test_folds_lie_between_lids_and_brows_and_grooves_beside_the_nose(
    kit: WrinkleKit, face: FaceMap
) -> None:
    marks = face.landmarks
    for variant in range(VARIANTS):
        fold = kit.maps[KINDS.index("lid"), variant] < -0.4
        x, y, _ = face.positions[fold].T
        assert marks[[36, 39], 1].min() - 0.5 < y.min() and y.max() < marks[18:26, 1].min()
        near_an_eye = np.abs(np.abs(x) - np.abs(marks[36:42, 0]).mean()) < 2.8 * face.unit
        assert near_an_eye.all()
        groove = kit.maps[KINDS.index("wing"), variant] < -0.4
        x, y, _ = face.positions[groove].T
        assert (np.abs(x) > 0.9 * marks[35, 0]).all() and (np.abs(x) < 2 * marks[35, 0]).all()
        assert (y > marks[35, 1] - 0.4).all() and (y < marks[28, 1]).all()


def test_a_smile_folds_the_cheeks_of_the_young_and_lifts_them_beside_the_fold(
    kit: WrinkleKit, face: FaceMap
) -> None:
    smiling = replace(CALM, smiling=1.0)
    assert mean_weight("fold", 0.0, smiling) > 0.8 and mean_weight("fold", 0.0, CALM) < 0.05
    marks = face.landmarks
    for variant in range(VARIANTS):
        heights = kit.maps[KINDS.index("fold"), variant]
        x, y, _ = face.positions[heights < -0.5].T
        assert (np.abs(x) > 0.8 * marks[35, 0]).all() and y.max() < marks[30, 1]
        hill = np.abs(face.positions[heights > 0.25][:, 0])
        assert hill.mean() > np.abs(x).mean()


def test_one_fold_runs_below_each_eye_under_a_roll_that_ends_at_the_lid(
    kit: WrinkleKit, face: FaceMap
) -> None:
    marks = face.landmarks
    x, y, _ = np.moveaxis(face.positions, -1, 0)
    for heights in kit.maps[KINDS.index("under_eye")]:
        for inner, outer, lower in ((39, 36, (40, 41)), (42, 45, (46, 47))):
            edge, rolls = marks[list(lower), 1].mean(), []
            steps = np.linspace(*np.sort(marks[[inner, outer], 0]), 12)[2:-1]
            for left, right in zip(steps, steps[1:], strict=False):
                below = (x > left) & (x < right) & (y < edge) & (y > edge - 1.6 * face.unit)
                assert heights[below].min() < -0.1  # unbroken
                fold = y[below][heights[below].argmin()]
                rolls.append(heights[below & (y > fold)].max())
            assert np.mean(rolls) > 0.1


def test_a_smile_draws_lines_below_and_beside_the_eyes_of_the_young() -> None:
    smiling = replace(CALM, smiling=1.0)
    for kind in ("under_eye", "crow"):
        assert mean_weight(kind, 0.0, smiling) > mean_weight(kind, 0.0, CALM) + 0.25


def test_dimples_and_lumps_are_no_lines(kit: WrinkleKit) -> None:
    dimpled = 0
    for seed in range(40):
        height, lines = kit.sample(np.random.default_rng(seed), 0.0, CALM)
        weight = crease_weights(np.random.default_rng(seed), 0.0, CALM)[KINDS.index("chin")]
        dimpled += weight > 0
        deepest = (height - lines).min()
        assert deepest < -0.02 if weight > 0 else deepest > -0.015
    assert 2 <= dimpled <= 12


def test_left_and_right_are_no_mirror_images(kit: WrinkleKit) -> None:
    height, _ = kit.sample(np.random.default_rng(5), 0.9, CALM)
    assert np.abs(height - height[:, ::-1]).max() > 0.02


def test_moods_come_at_their_rates_and_weights_stay_in_range() -> None:
    drawn = [sample_expression(np.random.default_rng(i), MODEL) for i in range(600)]
    share = np.mean([one.mood == "smile with teeth" for one in drawn])
    assert abs(share - MOODS["smile with teeth"]) < 0.06
    assert abs(sum(MOODS.values()) - 1) < 1e-9
    weights = np.stack([one.weights for one in drawn])
    assert weights.min() >= 0 and weights.max() <= 1


def test_who_smiles_with_teeth_narrows_the_eyes() -> None:
    squint = replace(MODEL, expression_names=("eyeSquint_L",), expression=MODEL.expression[:1])
    drawn = [sample_expression(np.random.default_rng(i), squint) for i in range(300)]
    by_mood = {
        mood: np.mean([one.weights[0] for one in drawn if one.mood == mood])
        for mood in ("neutral", "smile with teeth")
    }
    assert by_mood["smile with teeth"] > by_mood["neutral"] + 0.2


def test_one_face_in_six_shuts_its_eyes_and_most_lids_rest_on_the_iris() -> None:
    lids = ("eyeBlink_L", "eyeBlink_R")
    blinking = replace(MODEL, expression_names=lids, expression=MODEL.expression[:2])
    drawn = [sample_expression(np.random.default_rng(i), blinking) for i in range(600)]
    blinks = np.array([one.weights.max() for one in drawn])
    assert 0.13 < np.mean(blinks > 0.7) < 0.2
    assert 0.65 < np.mean((0 < blinks) & (blinks < 0.49)) < 0.85
