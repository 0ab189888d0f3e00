"""Scores of photos: creases count, features and noise do not."""

import cv2
import numpy as np
import pytest

from df2net_hub.photo_scores import detail_score, sharpness_score
from df2net_hub.synthesis.recipe import SynthesisRecipe
from df2net_hub.synthesis.sampling import HeadSampler

SIZE = 256
MASK = np.hypot(*np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]) < 0.9


def skin(creases: float = 0.0, level: float = 150, noise: float = 0.0) -> np.ndarray:
    """Even skin with furrows 5 px apart (10 of a 512 crop) of relative depth `creases`."""
    furrows = 1 - creases * np.maximum(np.sin(np.arange(SIZE) * 2 * np.pi / 5), 0)
    gray = level * np.tile(furrows[:, None], (1, SIZE))
    gray = gray + noise * np.random.default_rng(0).standard_normal((SIZE, SIZE))
    return np.clip(gray[..., None] * [1.0, 0.8, 0.7], 0, 255).astype(np.uint8)


def test_deeper_creases_give_a_higher_score() -> None:
    scores = [detail_score(skin(depth), MASK) for depth in (0, 0.05, 0.1, 0.2)]
    assert scores[0] < 0.3
    assert all(before * 1.5 < after for before, after in zip(scores[1:], scores[2:], strict=False))


def test_noise_alone_is_no_detail() -> None:
    noisy = detail_score(skin(noise=6), MASK)
    assert noisy < 0.25 * detail_score(skin(0.1), MASK)


def test_a_dim_photo_scores_less_yet_more_than_half() -> None:
    """The price of the floor that keeps gloss on dark skin from counting for more."""
    bright, dim = detail_score(skin(0.1, 220), MASK), detail_score(skin(0.1, 120), MASK)
    assert 0.5 * bright < dim < bright


def test_brows_eyes_and_lips_are_no_detail() -> None:
    plain, made_up = skin(0.05), skin(0.05)
    for center in ((80, 90), (176, 90)):
        cv2.ellipse(made_up, center, (30, 8), 0, 0, 360, (30, 20, 15), -1)
    cv2.ellipse(made_up, (128, 190), (35, 12), 0, 0, 360, (170, 50, 50), -1)
    assert detail_score(made_up, MASK) == pytest.approx(detail_score(plain, MASK), rel=0.15)


def test_what_lies_off_the_mask_does_not_count() -> None:
    striped = skin(0.5)
    striped[MASK] = skin()[MASK]
    inner = MASK & (np.hypot(*np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]) < 0.6)
    assert detail_score(striped, inner) < 0.5


def test_a_mask_without_skin_scores_zero() -> None:
    assert detail_score(skin(0.2), np.zeros_like(MASK)) == 0


def test_a_rendered_face_scores_higher_with_wrinkles_than_without() -> None:
    """The same old person in the same picture, by an ideal camera."""
    smooth, creased = (
        HeadSampler.procedural(SynthesisRecipe(without=("camera", "overlay", *without)))
        for without in (("wrinkles",), ())
    )
    gains = []
    for index in (2, 5):
        pairs = smooth.pair(9, index, SIZE), creased.pair(9, index, SIZE)
        assert pairs[1].traits["age"] > 0.4
        before, after = (detail_score(pair.image, pair.mask) for pair in pairs)
        gains.append(after - before)
    assert min(gains) > 0


def test_blur_lowers_the_sharpness() -> None:
    grain = np.random.default_rng(0).normal(0, 40, (SIZE, SIZE, 1))
    photo = np.clip(skin() + grain, 0, 255).astype(np.uint8)
    scores = [
        sharpness_score(photo if not sigma else cv2.GaussianBlur(photo, (0, 0), sigma), MASK)
        for sigma in (0, 0.7, 1.4, 2.1)
    ]
    assert all(before > after for before, after in zip(scores, scores[1:], strict=False))
    assert 0 <= scores[-1] and scores[0] <= 1
    assert sharpness_score(np.full_like(photo, 90), MASK) == 0
