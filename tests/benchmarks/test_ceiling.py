"""The ceiling: faces as points, and what is known of them exactly."""

from benchmark_scripts import script


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
    # The mean of |0.02 N(0, 1)| times the mean distance of heights from their middle, about 80 px.
    assert 0.8 < leaning < 2 and leaning_untilted < 0.3 * leaning
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
