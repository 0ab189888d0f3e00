"""Parts of faces that lie too near, whatever the scale and the tilt."""

from benchmark_scripts import script


def test_parts_that_lie_too_near_are_named_whatever_the_scale_and_the_tilt():
    import numpy as np
    from view_makers import landmarks68

    from df2net_hub.evaluating.methods import DepthMap
    from df2net_hub.evaluating.views import View

    bias = script("bias_by_part")
    y, x = np.mgrid[0:96, 0:96].astype(float)
    mask = np.hypot(x - 48, y - 48) < 40
    truth = 40 * np.cos((x - 48) / 60) * np.cos((y - 48) / 60)
    landmarks = landmarks68(96)
    landmarks[54] = 2, 2  # a corner of the mouth without a compared pixel; the other one counts
    landmarks[50:53] = -9.0  # outside of the picture
    corner_x, corner_y = np.rint(landmarks[48])
    near = truth + 2 * np.exp(-(np.hypot(x - corner_x, y - corner_y) ** 2) / 18)
    view = View("a", np.zeros((96, 96, 3), np.uint8), truth, mask, 1.0, True, landmarks)
    error = bias.signed_error(view, DepthMap((near + 0.02 * x - 0.03 * y - 5) / 1.3, mask), 0)
    assert np.isnan(error[~mask]).all() and abs(error[mask].mean()) < 1e-6
    found = bias.by_part(error, landmarks, 1.0)
    assert set(bias.PARTS) - set(found) == {"upper lip"}
    around = np.mean(
        [[2 * np.exp(-(a * a + b * b) / 18) for a in range(-2, 3)] for b in range(-2, 3)]
    )
    more = found["corners of the mouth"] - found["tip of the nose"]
    assert abs(more - around) < 0.1 and abs(found["tip of the nose"]) < 0.5


def test_eyeballs_that_lie_too_deep_do_not_count_as_lids():
    import cv2
    import numpy as np
    from view_makers import landmarks68

    bias = script("bias_by_part")
    landmarks = landmarks68(96)
    eyes = np.zeros((96, 96), np.uint8)
    for eye in (landmarks[36:42], landmarks[42:48]):
        cv2.fillPoly(eyes, [np.rint(eye).astype(np.int32)], 1)
    found = bias.by_part(4.0 * eyes, landmarks, 1.0)
    assert found[bias.EYES] == 4
    assert all(found[part] == 0 for part in bias.PARTS)
