"""A head of another mesh on the vertices of a model: places and offsets that are known."""

import numpy as np
import pytest

from df2net_hub.assets.obj_files import ObjMesh
from df2net_hub.assets.register import register
from df2net_hub.synthesis.procedural import procedural_head

pytest.importorskip("scipy", reason="scipy solves for the warp")
SCALE = 0.1  # the source is in decimeters
ANGLE = 0.2
TURN = np.array([[1, 0, 0], [0, np.cos(ANGLE), np.sin(ANGLE)], [0, -np.sin(ANGLE), np.cos(ANGLE)]])


@pytest.fixture(scope="module")
def head():
    return procedural_head()


def skull_of(head):
    end = head.parts["head_and_neck"].stop
    triangles = head.triangles[(head.triangles < end).all(1)]
    corners = head.vertices[triangles]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    return end, triangles[area > 1e-6]


def matched(head, end):
    rng = np.random.default_rng(0)
    chosen = np.unique([*head.landmarks68, *rng.choice(end, 150, replace=False)])
    return np.column_stack([chosen, chosen])


@pytest.fixture(scope="module")
def onto(head):
    """The model's own skull, longer and with a bigger nose, turned and in decimeters."""
    end, triangles = skull_of(head)
    points = head.vertices[:end].astype(float)
    points = points + 1.6 * head.identity[1, :end] + [0, 0, 0.3] * (points[:, 1:2] > 0)
    return register(
        head, ObjMesh(SCALE * points @ TURN, np.zeros((0, 2)), triangles, None), matched(head, end)
    ), points


def test_skin_lies_on_the_other_head(head, onto):
    found, points = onto
    ours = head.vertices[: len(points)].astype(float)
    true = found.place(SCALE * points @ TURN)
    face = head.vertex_flags(("face_narrow",))[: len(points)]
    before = np.linalg.norm(ours - true, axis=1)[face]
    after = np.linalg.norm(found.vertices[: len(points)] - true, axis=1)[face]
    assert np.median(before) > 0.12 and np.median(after) < 0.02 and np.quantile(after, 0.99) < 0.15


def test_offsets_come_along_in_the_models_frame(head, onto):
    found, points = onto
    mode = head.identity[2, : len(points)].astype(float)  # a wave of about 20 cm
    carried = found.carry(SCALE * mode @ TURN)[: len(points)]
    # The other frame is the model's own but for the little that fitting the matches turned it.
    scale = found.place.scale * SCALE
    face = head.vertex_flags(("face_narrow",))[: len(points)]
    off = np.linalg.norm(carried - scale * mode, axis=1)[face]
    size = np.linalg.norm(mode, axis=1)[face]
    assert np.median(off) < 0.05 * size.mean() and np.quantile(off, 0.99) < 0.2 * size.mean()


def test_what_is_narrower_than_the_kernel_is_smoothed_away(head, onto):
    found, points = onto
    spike = np.zeros_like(points)
    at = head.landmarks68[30]
    spike[at, 2] = SCALE
    assert 0 < np.abs(found.carry(spike)).max() < 0.7 * found.place.scale * SCALE


def test_eyes_move_with_their_lids_as_a_whole(head, onto):
    found, points = onto
    carried = found.carry(SCALE * head.identity[0, : len(points)] @ TURN)
    for name, lids in (("eyeball_left", slice(42, 48)), ("eyeball_right", slice(36, 42))):
        ball = carried[head.parts[name]]
        np.testing.assert_allclose(ball, np.broadcast_to(ball[0], ball.shape), atol=1e-5)
        np.testing.assert_allclose(ball[0], carried[head.landmarks68[lids]].mean(0), atol=1e-4)


def test_matches_that_do_not_fit_are_refused(head):
    end, _ = skull_of(head)
    far = np.array([[0, 0, 900.0], [0, 1, 900], [1, 0, 900]])
    points = np.concatenate([head.vertices[:end].astype(float), far])
    mesh = ObjMesh(points, np.zeros((0, 2)), np.arange(end, end + 3)[None], None)
    with pytest.raises(ValueError, match="no surface of the source lies near the model"):
        register(head, mesh, matched(head, end))
