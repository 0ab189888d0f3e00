"""Things in front of a face: sound meshes, at their rate, glasses and lashes leave the mask."""

import numpy as np
import pytest

from df2net_hub.synthesis.glasses import SUNGLASSES_SHARE, glasses
from df2net_hub.synthesis.lashes import lashes
from df2net_hub.synthesis.occluders import IN_FRONT_SHARE, KINDS, sample_in_front
from df2net_hub.synthesis.procedural import procedural_head

MODEL = procedural_head()
MARKS = MODEL.vertices[MODEL.landmarks68]
SKIN = np.array([0.5, 0.3, 0.2])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_sound_mesh_near_the_head_that_hides(kind: str) -> None:
    for seed in range(6):
        parts = KINDS[kind][0](np.random.default_rng(seed), MODEL.vertices, MARKS, SKIN)
        assert parts
        for part, color in parts:
            assert np.isfinite(part.vertices).all() and part.hides
            assert np.abs(part.vertices).max() < 60
            assert part.triangles.max() < len(part.vertices) == len(part.keep)
            assert ((np.asarray(color) >= 0) & (np.asarray(color) <= 1)).all()


def test_a_twelfth_of_the_pictures_has_something_in_front() -> None:
    names = [
        sample_in_front(np.random.default_rng(i), MODEL.vertices, MARKS, SKIN)[0]
        for i in range(1500)
    ]
    share = np.mean([name != "" for name in names])
    assert abs(share - IN_FRONT_SHARE) < 0.025
    assert set(names) == {"", *KINDS}


def test_glasses_leave_the_mask_whole_and_some_are_dark() -> None:
    drawn = [glasses(np.random.default_rng(i), MARKS) for i in range(200)]
    assert not any(part.hides for parts in drawn for part, _ in parts)
    dark = [parts for parts in drawn if len(parts) == 2]
    assert abs(len(dark) / len(drawn) - SUNGLASSES_SHARE) < 0.08
    assert all(parts[1][1].max() < 0.02 for parts in dark)
    assert all(parts[0][0].vertices[:, 2].max() > MARKS[36:48, 2].max() for parts in drawn)


def test_lashes_sit_on_the_lids_and_are_longer_with_make_up() -> None:
    plain, made_up = (lashes(np.random.default_rng(0), MARKS, share) for share in (0.0, 1.0))
    assert not plain.hides
    reach = [
        np.min(np.linalg.norm(one.vertices[:, None] - MARKS[None, 36:48], axis=-1), 1).max()
        for one in (plain, made_up)
    ]
    assert reach[0] < reach[1] < 2.0


def test_lashes_of_open_eyes_curl_up_and_those_of_shut_eyes_hang_down() -> None:
    shut = MARKS.copy()
    shut[[37, 38, 43, 44]] = shut[[41, 40, 47, 46]]
    open_top, shut_top = (
        lashes(np.random.default_rng(0), marks, 0.0).vertices[:, 1].max() - marks[36:48, 1].max()
        for marks in (MARKS, shut)
    )
    assert open_top > 0.15 and shut_top < 0.05
