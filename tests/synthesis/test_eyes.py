"""Lids and eyeballs of a head of four plates of skin, two above and two below a ball each."""

from dataclasses import replace

import numpy as np
import pytest

from df2net_hub.synthesis.appearance import procedural_assets
from df2net_hub.synthesis.expressions import neutral
from df2net_hub.synthesis.eyes import (
    BEFORE_LIDS_CM2,
    CLEAR_CM,
    PRESSED_CM,
    before_lids,
    behind_lids,
    shut_lids,
)
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.person import sample_person
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.recipe import SynthesisRecipe
from df2net_hub.synthesis.sampling import HeadSampler
from df2net_hub.synthesis.streams import Streams

OPEN_CM, RADIUS_CM, BLINK_CM = 0.8, 1.2, 0.5
SIDES = (-3.0, 3.0)  # the subject's right eye is at negative x
CORNERS = np.array([[-1.5, 0, 0], [1.5, 0, 0], [1.5, 1.5, 0], [-1.5, 1.5, 0]])


def head() -> MorphableModel:
    """Plates at z = 0 whose blink lowers the upper ones, balls with their middle at z = -2."""
    plates = [
        CORNERS + [side, height, 0]
        for side in SIDES
        for height in (OPEN_CM / 2, -1.5 - OPEN_CM / 2)
    ]
    skin = np.concatenate(plates)
    squares = np.array([[0, 1, 2], [0, 2, 3]])
    triangles = [squares + 4 * k for k in range(4)]
    of_ball = procedural_head()
    ball = of_ball.vertices[of_ball.parts["eyeball_left"]]
    middle = (ball.max(0) + ball.min(0)) / 2
    ball = (ball - middle) * RADIUS_CM / 1.25
    faces = of_ball.triangles[of_ball.triangle_flags(("eyeball_left",))]
    faces = faces - of_ball.parts["eyeball_left"].start
    triangles += [faces + len(skin) + k * len(ball) for k in range(2)]
    balls = [ball + [side, 0, -2] for side in SIDES]
    vertices = np.concatenate([skin, *balls]).astype(np.float32)
    blink = np.zeros((2, len(vertices), 3), np.float32)
    blink[0, 0:4, 1] = blink[1, 8:12, 1] = -BLINK_CM
    landmarks = np.zeros(68, np.int32)
    landmarks[[37, 38, 41, 40]] = 0, 1, 7, 6
    landmarks[[43, 44, 47, 46]] = 8, 9, 15, 14
    every = np.concatenate(triangles).astype(np.int32)
    right = len(skin)
    return MorphableModel(
        vertices=vertices,
        triangles=every,
        uv=np.full((len(vertices), 2), 0.5, np.float32),
        uv_triangles=every,
        identity=np.zeros((1, len(vertices), 3), np.float32),
        expression=blink,
        expression_names=("eyeBlink_R", "eyeBlink_L"),
        landmarks68=landmarks,
        parts={
            "face_narrow": slice(0, right),
            "eyeball_right": slice(right, right + len(ball)),
            "eyeball_left": slice(right + len(ball), right + 2 * len(ball)),
        },
    )


def apart(shape: np.ndarray) -> list[float]:
    """Between the lids' edges of the right and of the left eye [cm]."""
    return [float(shape[0, 1] - shape[6, 1]), float(shape[8, 1] - shape[14, 1])]


def test_lids_meet_however_far_they_were_apart() -> None:
    model = head()
    assert apart(model.vertices) == pytest.approx([OPEN_CM, OPEN_CM])
    shape = model.vertices.copy()
    shape[8:12, 1] -= 0.3  # a narrower left eye
    shut = shape + shut_lids(model, shape)
    assert apart(shut) == pytest.approx([-PRESSED_CM, -PRESSED_CM], abs=1e-5)
    np.testing.assert_array_equal(shut[:, [0, 2]], shape[:, [0, 2]])
    np.testing.assert_array_equal(shut[4:8], shape[4:8])  # a lower lid stays


def test_lids_that_are_shut_too_far_open_until_they_meet() -> None:
    model = head()
    shape = model.shape(np.zeros(1), np.array([2.0, 2.0]))
    assert apart(shape) == pytest.approx([OPEN_CM - 2 * BLINK_CM] * 2, abs=1e-5)
    assert apart(shape + shut_lids(model, shape)) == pytest.approx([-PRESSED_CM] * 2, abs=1e-5)


def test_a_model_that_cannot_blink_stays_as_it_is() -> None:
    model = replace(head(), expression_names=("jawOpen", "mouthSmile_L"))
    assert shut_lids(model, model.vertices) == 0
    still = replace(head(), expression=np.zeros_like(model.expression))
    assert shut_lids(still, still.vertices) == 0


def test_how_far_an_eyeball_is_before_the_skin() -> None:
    model = head()
    shut = model.vertices + shut_lids(model, model.vertices)
    shut[model.parts["eyeball_left"], 2] += 2 - RADIUS_CM + 0.3  # its front is 3 mm before the lid
    right, left = before_lids(model, shut)[::-1]
    # Where the lids meet, the ball's middle, and of the area allowed a disk of it around there.
    drop = BEFORE_LIDS_CM2 / np.pi / (2 * RADIUS_CM)
    assert left == pytest.approx(0.3 - drop, abs=0.03)  # the ball has corners
    assert right == pytest.approx(RADIUS_CM - 2, abs=0.03)


def test_an_eyeball_moves_back_behind_its_lids_and_nothing_else_does() -> None:
    model = head()
    shape = model.vertices + shut_lids(model, model.vertices)
    shape[model.parts["eyeball_left"], 2] += 2 - RADIUS_CM + 0.3
    rest = before_lids(model, model.vertices)
    assert (rest < 0).all()
    placed = behind_lids(model, shape, rest)
    assert before_lids(model, placed)[0] == pytest.approx(-CLEAR_CM, abs=1e-3)
    moved = placed - shape
    ball = model.parts["eyeball_left"]
    np.testing.assert_allclose(moved[ball, 2], moved[ball, 2].mean(), atol=1e-5)
    assert moved[ball, 2].mean() == pytest.approx(-0.3 - CLEAR_CM, abs=0.03)
    moved[ball, 2] = 0
    assert (moved == 0).all()


def test_eyes_that_lie_on_the_skin_of_the_mean_face_stay_there() -> None:
    model = procedural_head()
    rest = before_lids(model, model.vertices)
    assert (rest > 0.5).all()
    np.testing.assert_array_equal(behind_lids(model, model.vertices, rest), model.vertices)
    forward = model.vertices.copy()
    forward[model.parts["eyeball_right"], 2] += 0.2
    expected = model.vertices.copy()
    expected[model.parts["eyeball_right"], 2] -= CLEAR_CM
    np.testing.assert_allclose(behind_lids(model, forward, rest), expected, atol=1e-5)


def test_a_head_without_eyeballs_stays_as_it_is() -> None:
    model = head()
    model = replace(model, parts={"face_narrow": model.parts["face_narrow"]})
    rest = before_lids(model, model.vertices)
    assert (rest == -np.inf).all()
    np.testing.assert_array_equal(behind_lids(model, model.vertices, rest), model.vertices)


def test_drawn_people_shut_their_eyes_and_keep_eyeballs_behind_lids() -> None:
    face = procedural_head()
    upper, lower = face.landmarks68[[37, 38, 43, 44]], face.landmarks68[[41, 40, 47, 46]]
    blink = np.zeros((2, len(face.vertices), 3), np.float32)
    blink[0, upper[:2], 1] = blink[1, upper[2:], 1] = -0.4
    face = replace(
        face,
        expression=np.concatenate([face.expression, blink]),
        expression_names=(*face.expression_names, "eyeBlink_R", "eyeBlink_L"),
    )
    recipe = SynthesisRecipe(without=("stretch", "forms", "sculpted", "lips"))
    sampler = HeadSampler(face, procedural_assets(), recipe)
    streams = Streams(0, 1, 1)
    person = sample_person(
        streams, recipe, sampler.library, sampler.photos, sampler.overlay_kit, sampler.face
    )
    awake = neutral(face)
    shape, _ = sampler._shape(streams, replace(awake, shut=1.0), person)
    gaps = shape[upper, 1] - shape[lower, 1]
    assert gaps.reshape(2, 2).mean(1) == pytest.approx([-PRESSED_CM] * 2, abs=1e-4)
    opened, _ = sampler._shape(streams, awake, person)
    assert (opened[upper, 1] - opened[lower, 1]).min() > 0.1
    for each in (shape, opened):
        excess = before_lids(face, each) - sampler.eyes_at_rest
        assert excess.max() < 1e-3
