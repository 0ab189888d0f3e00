"""Every benchmark starts, tells what it measures, and knows the functions that it clocks."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py"))


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_says_how_to_run_it(name, monkeypatch, capsys):
    module = script(name)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    with pytest.raises(SystemExit) as stop:
        module.main()
    assert stop.value.code == 0
    assert f"python benchmarks/{name}.py" in capsys.readouterr().out


def test_the_steps_of_the_renderer_are_functions_of_it():
    from df2net_hub.synthesis import render, sampling

    homes = {"render": render, "sampling": sampling}
    for names in script("rendering").STEPS.values():
        for name in names:
            home, *path = name.split(".")
            found = homes[home]
            for part in path:
                found = getattr(found, part)
            assert callable(found), name


def test_before_and_after_are_columns_beside_the_photo():
    from df2net_hub import DF2NetPipeline
    from df2net_hub.demo_photo import demo_photo

    pipe = DF2NetPipeline.from_pretrained()
    picture = script("before_after").side_by_side(demo_photo(), {"before": pipe, "after": pipe})
    tile = picture.shape[1] // 3  # photo, before, after
    before, after = picture[40:, tile : 2 * tile], picture[40:, 2 * tile :]
    assert (before == after).all() and before.std() > 10


def test_a_photo_without_a_face_is_named(tmp_path):
    from PIL import Image

    from df2net_hub import DF2NetPipeline

    blank = tmp_path / "blank.png"
    Image.new("RGB", (64, 64), (90, 90, 90)).save(blank)
    with pytest.raises(ValueError, match="blank.png: no face found by before; give a portrait"):
        script("before_after").side_by_side(blank, {"before": DF2NetPipeline.from_pretrained()})


def test_the_ceiling_knows_what_is_exact_and_what_is_flat():
    import numpy as np

    from df2net_hub.synthesis.procedural import procedural_head

    ceiling = script("ceiling")
    found = ceiling.rows(procedural_head(), count=40, steps=0, seed=0)
    flat, flat_untilted = found["nothing: a flat map"]
    turned = [found[f"shape; turned wrongly by {degrees} deg"] for degrees in (1, 2, 3)]
    assert flat > 30 and flat_untilted < flat
    assert [error for error, _ in turned] == sorted(error for error, _ in turned)
    assert all(untilted < 0.2 * error for error, untilted in turned)  # a wrong turn is a tilt
    leaning, leaning_untilted = found["all but how far the face leans"]
    # The mean of |0.05 N(0, 1)| times the mean distance of heights from their middle, about 80 px.
    assert 2 < leaning < 5 and leaning_untilted < 0.3 * leaning
    faces = ceiling.PointSampler(procedural_head(), 0).faces(5)
    truth = ceiling.placed(faces, faces.shape, faces.pose)
    tilted = truth[..., 2] + 0.1 * truth[..., 0] + 7
    assert ceiling.errors(truth[..., 2] + 7, truth)[0] < 1e-9
    assert ceiling.errors(tilted, truth)[0] > 1 and ceiling.errors(tilted, truth)[1] < 1e-9
    assert np.isfinite(truth).all()


def test_points_of_the_ceiling_lie_where_the_renderer_puts_landmarks():
    import numpy as np

    from df2net_hub.synthesis.sampling import HeadSampler

    ceiling = script("ceiling")
    sampler = HeadSampler.procedural()
    rendered = np.stack([sampler.pair(0, index, 32).landmarks for index in range(30)]) * 512 / 32
    faces = ceiling.PointSampler(sampler.model, 0).faces(400)
    drawn = ceiling.placed(faces, faces.shape, faces.pose)[:, :68, :2]
    spread = drawn.std((0, 1))
    np.testing.assert_allclose(rendered.mean((0, 1)), drawn.mean((0, 1)), atol=0.15 * spread.min())
    np.testing.assert_allclose(rendered.std((0, 1)), spread, rtol=0.12)


def test_heights_lifted_from_places_are_better_than_a_flat_map():
    from df2net_hub.synthesis.procedural import procedural_head

    ceiling = script("ceiling")
    sampler = ceiling.PointSampler(procedural_head(), 0)
    faces = sampler.faces(50)
    truth = ceiling.placed(faces, faces.shape, faces.pose)
    flat = ceiling.errors(0 * truth[..., 2], truth)[0]
    assert ceiling.errors(ceiling.lift(sampler, truth, 68, 1.0, steps=20), truth)[0] < 0.7 * flat


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
    points[looks.TIP] = 200, 150
    for (wing, _), x in zip(looks.WINGS, (170, 230), strict=True):
        points[wing] = x, 150
        photo[140:160, x - 3 : x + 3] = 0.1

    def eyes_of(photo, points):
        return looks.eyes_of(*looks.brought_to_size(photo, points))

    found = eyes_of(photo, points)
    assert len(found) == 2
    for iris, pupils, upper, lower, brightest, line, fold, below in found:
        assert iris == pytest.approx(22 / 140, rel=1e-3)
        assert pupils == pytest.approx(140 / 200, rel=1e-3)
        assert upper == pytest.approx(0.2, abs=0.03) and lower == pytest.approx(0.8, abs=0.03)
        assert brightest == pytest.approx(1.5, abs=0.05) and line < 0.1
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


def test_a_change_that_is_seen_in_part_is_told_from_one_that_is_supposed():
    import numpy as np

    seen = script("relief_seen")
    rng = np.random.default_rng(0)
    mask = np.ones((64, 64), bool)
    mask[:, :10] = False
    y, x = np.mgrid[0:64, 0:64]
    change = rng.normal(size=(64, 64))
    true = seen.less_tilt(change, mask)
    tilted = seen.less_tilt(0.3 * change + 2 * x - y + 7, mask)
    np.testing.assert_allclose(tilted, 0.3 * true, atol=1e-9)
    assert (true[~mask] == 0).all() and abs(true[mask].mean()) < 1e-9
    part, nothing = seen.Agreement(), seen.Agreement()
    part.add(true[mask], tilted[mask])
    nothing.add(true[mask], rng.normal(size=mask.sum()))
    assert abs(part.share - 0.3) < 1e-9 and abs(part.correlation - 1) < 1e-9
    assert abs(nothing.share) < 0.1 and abs(nothing.correlation) < 0.1
    everywhere, x = np.ones((256, 256), bool), np.arange(256) + np.zeros((256, 1))
    inner = np.s_[80:-80, 80:-80]
    of_wide, of_narrow = (seen.narrow(np.cos(x / length), everywhere, 20.0) for length in (120, 8))
    assert np.abs(of_wide[inner]).max() < 0.03  # 1 - exp(-(20 / 120)^2 / 2) is 0.014
    np.testing.assert_allclose(of_narrow[inner], np.cos(x / 8)[inner] * 0.956, atol=0.01)


def test_nothing_but_the_forms_differs_between_the_two_looks_at_a_person():
    from df2net_hub import DF2NetPipeline
    from df2net_hub.synthesis import sampling
    from df2net_hub.synthesis.recipe import SynthesisRecipe

    seen, as_drawn = script("relief_seen"), sampling.random_forms
    pipe = DF2NetPipeline.from_pretrained()
    still = sampling.HeadSampler.procedural(SynthesisRecipe(without=(*seen.BALD, "forms")))
    whole, _ = seen.forms_seen(pipe, still, 1, 0)["finer"]
    assert (whole.products == 0).all()  # twice the same picture
    moved = sampling.HeadSampler.procedural(SynthesisRecipe(without=seen.BALD))
    whole, fine = seen.forms_seen(pipe, moved, 1, 0)["finer"]
    assert whole.products[0] > fine.products[0] > 0
    assert 0 < whole.correlation < 1
    assert sampling.random_forms is as_drawn


def test_a_place_lies_6_mm_further_forward_and_the_rest_where_it_was():
    import numpy as np

    from df2net_hub.synthesis import sampling
    from df2net_hub.synthesis.recipe import SynthesisRecipe

    seen, as_drawn = script("relief_seen"), sampling.random_forms
    sampler = sampling.HeadSampler.procedural(SynthesisRecipe(without=seen.BALD))
    back, forward = seen.with_a_place_moved(sampler, 0, 2, "chin")
    mask = back.mask & forward.mask
    mm = (forward.depth - back.depth) * 127.5 * back.mm_per_px
    mm -= np.median(mm[mask])  # depth is centered on the face's mean
    (x, chin), (_, bridge) = back.landmarks[[8, 27]].round().astype(int)
    assert 4.5 < np.nanmax(mm[chin - 20 : chin, x - 5 : x + 5]) < 6.5
    assert np.abs(mm[:bridge][mask[:bridge]]).max() < 0.3
    assert sampling.random_forms is as_drawn


def test_a_lean_is_a_slope_of_a_tenth_less_what_the_pose_turns_of_it():
    import math

    from df2net_hub.synthesis import sampling
    from df2net_hub.synthesis.recipe import SynthesisRecipe

    seen, as_drawn = script("relief_seen"), sampling.LEAN
    sampler = sampling.HeadSampler.procedural(SynthesisRecipe(without=seen.BALD))
    back, forward = seen.with_other_lean(sampler, 0, 2)
    mask = back.mask & forward.mask
    _, _, down = seen.plane_of((forward.depth - back.depth) * 127.5, mask)
    # Rows count downward: what leans forward rises toward the top.
    turned = math.cos(math.radians(back.roll)) * math.cos(math.radians(back.yaw))
    assert -down == pytest.approx(0.1 * turned, rel=0.1)
    assert sampling.LEAN is as_drawn


def test_the_bundled_weights_see_some_of_a_lean_and_not_all():
    from df2net_hub import DF2NetPipeline
    from df2net_hub.synthesis.recipe import SynthesisRecipe
    from df2net_hub.synthesis.sampling import HeadSampler

    seen = script("relief_seen")
    sampler = HeadSampler.procedural(SynthesisRecipe(without=seen.BALD))
    groups = seen.lean_seen(DF2NetPipeline.from_pretrained(), sampler, 2, 2)["finer"]
    measured = [one for one in groups if one.products[0] > 0]
    assert measured and all(0 < one.share < 1 for one in measured)


def test_lines_and_then_lumps_are_all_that_differs_between_three_looks_at_a_person():
    import numpy as np

    from df2net_hub.synthesis.recipe import SynthesisRecipe
    from df2net_hub.synthesis.sampling import HeadSampler

    seen = script("relief_seen")
    sampler = HeadSampler.procedural(SynthesisRecipe(without=seen.BALD))
    kit = sampler.wrinkles
    smooth, lined, lumpy = seen.smooth_lined_and_lumpy(sampler, 0, 2)
    assert sampler.wrinkles is kit
    for one in (lined, lumpy):
        np.testing.assert_array_equal(smooth.landmarks, one.landmarks)
        np.testing.assert_array_equal(smooth.albedo[one.mask], one.albedo[one.mask])
    lines, lumps = (
        np.abs(after.depth - before.depth)[before.mask & after.mask] * 127.5
        for before, after in ((smooth, lined), (lined, lumpy))
    )
    # Furrows of up to some millimeters in a head of 512 px, and pictures that show them.
    assert 0.2 < lines.max() < 15
    assert 0 < np.abs(lumpy.image.astype(int) - smooth.image).mean() < 10
    # Lines lie here and there, lumps and pores all over.
    assert np.median(lines) < 0.1 * np.percentile(lines, 99)
    assert np.median(lumps) > 0.1 * np.percentile(lumps, 99) > 0


def test_a_third_of_the_lines_beside_half_of_the_rest_is_told():
    import numpy as np

    seen = script("relief_seen")
    rng = np.random.default_rng(0)
    shares = seen.Shares()
    for _ in range(3):
        smooth, lumps, noise = rng.normal(size=(3, 5000))
        lines = np.minimum(rng.normal(size=5000) + 0.3 * smooth - 1, 0)  # hardly independent
        true = np.stack([smooth, lines, lumps])
        shares.add(true, 0.5 * smooth + lines / 3 + 0.05 * lumps + 0.1 * noise)
    np.testing.assert_allclose(shares.read, [0.5, 1 / 3, 0.05], atol=0.01)


def test_the_bundled_weights_wrinkles_are_measured_in_both_looks():
    from df2net_hub import DF2NetPipeline
    from df2net_hub.synthesis.recipe import SynthesisRecipe
    from df2net_hub.synthesis.sampling import HeadSampler

    seen = script("relief_seen")
    sampler = HeadSampler.procedural(SynthesisRecipe(without=seen.BALD))
    shares = seen.wrinkles_seen(DF2NetPipeline.from_pretrained(), sampler, 1, 2)
    assert set(shares) == {"dense", "fine", "finer"}
    smooth, lumpy = (look.read for look in shares["finer"])
    assert 0.1 < lumpy[0] < 1.5  # eyes, nose and mouth of a head of formulas
    assert lumpy[1] != smooth[1] and abs(lumpy[2]) < 1
