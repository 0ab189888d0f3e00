"""Looks of eyes, noses and mouths, on ones that are drawn with known looks."""

import pytest
from benchmark_scripts import script


def test_looks_of_drawn_eyes_and_noses_are_those_they_were_drawn_with():
    import cv2
    import numpy as np

    looks = script("face_looks")
    photo = np.full((300, 400), 0.4, np.float32)
    points = np.zeros((478, 2), np.float32)
    for (around, middle, ends, cheek), x in zip(looks.EYES, (130, 270), strict=True):
        angles = np.linspace(np.pi, -np.pi, 17)[:16] * (1 if x < 200 else -1) + (
            0 if x < 200 else np.pi
        )
        points[around] = np.stack([x + 30 * np.cos(angles), 100 - 14 * np.sin(angles)], 1)
        points[middle], points[list(ends)] = (x, 100), [(x + 11, 100), (x - 11, 100)]
        points[cheek] = x, 200
        cv2.fillPoly(photo, [np.rint(points[around]).astype(np.int32)], 0.32)
        photo[:100, x - 30 : x + 30] = np.where(
            photo[:100, x - 30 : x + 30] == np.float32(0.32), 0.08, photo[:100, x - 30 : x + 30]
        )
        cv2.circle(photo, (x, 100), 11, 0.04, -1)
        cv2.circle(photo, (x + 3, 97), 3, 0.6, -1)
        photo[84:88, x - 10 : x + 10] = 0.02
        photo[70:76, x - 12 : x + 12] = 0.2  # a fold above, a line below
        photo[124:130, x - 12 : x + 12] = 0.3
        corner = x - 30 if x < 200 else x + 30
        photo[108:112, min(corner, 2 * corner - x) : max(corner, 2 * corner - x)] = 0.24
    points[looks.TIP] = 200, 150
    for (wing, _), x in zip(looks.WINGS, (170, 230), strict=True):
        points[wing] = x, 150
        photo[140:160, x - 3 : x + 3] = 0.1

    def eyes_of(photo, points):
        return looks.eyes_of(*looks.brought_to_size(photo, points))

    found = eyes_of(photo, points)
    assert len(found) == 2
    for iris, pupils, apart, upper, lower, brightest, line, fold, below, feet in found:
        assert iris == pytest.approx(22 / 140, rel=1e-3)
        assert pupils == pytest.approx(140 / 200, rel=1e-3)
        assert upper == pytest.approx(0.2, abs=0.03) and lower == pytest.approx(0.8, abs=0.03)
        assert brightest == pytest.approx(1.5, abs=0.05) and line < 0.1
        assert apart == pytest.approx(28 / 140, rel=1e-3) and feet == pytest.approx(0.4, abs=0.01)
        assert fold == pytest.approx(0.5, abs=0.01) and below == pytest.approx(0.25, abs=0.01)
    assert eyes_of(np.full_like(photo, 0.02), points) == []  # too dark to tell
    shut = points.copy()
    shut[:, 1] = 100 + (shut[:, 1] - 100) * np.where(np.abs(shut[:, 1] - 100) < 30, 0.2, 1)
    assert eyes_of(photo, shut) == []

    grooves = looks.nose_of(*looks.brought_to_size(photo, points))
    np.testing.assert_allclose(grooves, [[0.75], [0.75]], atol=0.01)
    turned = points.copy()
    turned[looks.TIP] = 160, 150
    assert looks.nose_of(photo, turned) == []


def test_looks_of_a_drawn_smile_are_those_it_was_drawn_with():
    import numpy as np

    looks = script("face_looks")
    color = np.full((300, 400, 3), 0.4, np.float32)
    points = np.zeros((478, 2), np.float32)
    places = {
        33: (100, 100), 263: (300, 100), 468: (130, 100), 473: (270, 100), looks.TIP: (200, 150),
        0: (200, 220), 13: (200, 228), 14: (200, 230), 17: (200, 246), 61: (160, 222),
        291: (240, 222), 165: (175, 200), 391: (225, 200), 205: (150, 190), 425: (250, 190),
    }  # fmt: skip
    for number, place in places.items():
        points[number] = place
    color[230:247, 180:220] = 0.4, 0.2, 0.2
    for side in (-1, 1):
        fold, line = 200 + side * 38, 200 + side * 55
        color[185:212, fold - 1 : fold + 2] = 0.2
        color[215:230, line - 1 : line + 2] = 0.3

    def seen(points):
        big, at = looks.brought_to_size(color, points)
        return looks.mouth_of(big, at), looks.smile_of(big.mean(-1), at)

    ((upper, lower, redness),), sides = seen(points)
    assert upper == pytest.approx(8 / 140, rel=1e-3) and lower == pytest.approx(16 / 140, rel=1e-3)
    assert redness == pytest.approx(np.log(2), abs=1e-3)
    np.testing.assert_allclose(sides, [[0.5, 0.25]] * 2, atol=0.02)

    earnest = points.copy()
    earnest[[61, 291], 1] = 228
    assert seen(earnest)[1] == [] and len(seen(earnest)[0]) == 1
    turned = points.copy()
    turned[looks.TIP] = 130, 150
    assert seen(turned) == ([], [])
