"""What is read of a relief, told from what is supposed."""

import pytest
from benchmark_scripts import script


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
    assert 4.5 < np.nanmax(mm[chin - 20 : chin, x - 5 : x + 5]) < 7
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


def test_lumps_are_not_asked_for_where_they_move_an_edge():
    import numpy as np

    seen = script("relief_seen")
    lined = np.zeros((100, 100))
    lined[:, 50:] = 10 / 127.5  # an edge of 10 px
    lumpy = lined + 1 / 127.5  # a lump of 1 px all over, and the edge moves by a column
    lumpy[:, 50] = 1 / 127.5
    lined[40:60, :5] = np.nan  # not seen
    beside = seen.beside_edges(lined, lumpy)
    expected = np.zeros((100, 100), bool)
    expected[:, 50 - seen.NEAR_EDGES_PX : 51 + seen.NEAR_EDGES_PX] = True
    np.testing.assert_array_equal(beside, expected)
