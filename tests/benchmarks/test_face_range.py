"""How far faces lie from the mean, and eyes before their lids."""

import pytest
from benchmark_scripts import script


def test_a_face_is_as_far_from_the_mean_as_it_was_moved(tmp_path):
    import numpy as np
    from view_makers import MM_PER_PX, dome, landmarks68, write_view

    from df2net_hub.evaluating.mean_error import MeanFaceGrid

    ranges = script("face_range")
    depth, _ = dome()
    y, x = np.mgrid[:200, :200]
    plane = 0.3 * x - 0.1 * y + 9
    bowl = (x - 90.0) ** 2 / 100
    np.testing.assert_allclose(ranges.fitted(bowl, 1.5 * bowl + plane), 1.5 * bowl + plane)
    y, x = np.mgrid[:64, :64]
    nose = np.exp(-((x - 32) ** 2 + (y - 34) ** 2) / 20)
    for name, longer in (("a", 2.0), ("b", -2.0)):  # the mean is the dome
        write_view(tmp_path / "trained", name, depth_mm=depth + longer * nose, yaw=3.0)
    write_view(tmp_path / "other", "c", depth_mm=1.2 * (depth + 6 * nose) + 9, yaw=3.0)
    write_view(tmp_path / "other", "turned", yaw=40.0)
    grid = MeanFaceGrid()
    trained = ranges.faces(ranges.frontal(str(tmp_path / "trained"), 9, 18.0), grid)
    other = ranges.faces(ranges.frontal(str(tmp_path / "other"), 9, 18.0), grid)
    assert len(trained) == 2 and len(other) == 1
    mean = ranges.mean_of(trained)
    laid = grid.lay(landmarks68(), depth.astype(np.float32))
    known = np.isfinite(mean)
    np.testing.assert_allclose(mean[known], laid[known], atol=0.02)
    near, far = ranges.distances(mean, trained), ranges.distances(mean, other)
    np.testing.assert_allclose(near, near.mean(), rtol=0.02)
    np.testing.assert_allclose(far, 3 * 1.2 * near.mean(), rtol=0.05)
    assert 0.05 < near.mean() < 1 and MM_PER_PX == 2
    with pytest.raises(ValueError, match="no view with landmarks turned by 1 deg or less"):
        ranges.frontal(str(tmp_path / "other"), 9, 1)


def test_eyes_that_are_plates_lie_behind_their_lids_and_hidden_ones_are_left_out():
    from dataclasses import replace

    import cv2
    import numpy as np
    from view_makers import view

    ranges = script("face_range")
    flat = replace(view(), depth_mm=np.zeros((64, 64), np.float32))
    eyes = np.zeros((64, 64), np.uint8)
    for eye in ranges.EYES:
        cv2.fillPoly(eyes, [np.rint(flat.landmarks[eye]).astype(np.int32)], 1)
    plates = replace(flat, depth_mm=np.float32(-3.5) * eyes)
    assert ranges.eyes_before_lids(plates) == [-3.5, -3.5]
    assert ranges.eyes_before_lids(flat) == [0, 0]
    left_half = flat.mask & (np.arange(64) < 32)
    assert ranges.eyes_before_lids(replace(plates, mask=left_half)) == [-3.5]
    away = flat.landmarks + np.float32(50)
    assert ranges.eyes_before_lids(replace(plates, landmarks=away)) == []
