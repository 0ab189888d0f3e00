"""Heads of another making: sliders by name, people who stay within them, files that are whole."""

from dataclasses import replace

import numpy as np
import pytest

from df2net_hub.synthesis.procedural import procedural_head, procedural_sculpted
from df2net_hub.synthesis.sculpted import SculptedHeads, load_sculpted, placed, save_sculpted


@pytest.fixture(scope="module")
def head():
    return procedural_head()


@pytest.fixture(scope="module")
def heads(head):
    return procedural_sculpted(head)


def weights_of(names, age, masculine, people=400):
    """(people,K): the first coordinate of vertex k is moved by target k alone."""
    targets = np.zeros((len(names), len(names), 3), np.float32)
    targets[np.arange(len(names)), np.arange(len(names)), 0] = 1
    heads = SculptedHeads(np.zeros((len(names), 3), np.float32), targets, tuple(names))
    return np.array(
        [heads.shape(np.random.default_rng(i), age, masculine)[:, 0] for i in range(people)]
    )


def test_opposite_targets_are_one_slider_and_both_sides_one_pair(heads):
    names = heads.names
    assert heads.sliders == {
        "nose-hump": {
            "nose-hump": {-1: names.index("nose-hump-decr"), 1: names.index("nose-hump-incr")}
        },
        "cheek-volume": {
            "l-cheek-volume": {1: names.index("l-cheek-volume-incr")},
            "r-cheek-volume": {1: names.index("r-cheek-volume-incr")},
        },
        "head-round": {"head-round": {1: names.index("head-round")}},
    }


def test_a_slider_goes_one_way_at_a_time_and_both_cheeks_go_along():
    names = ["nose-hump-decr", "nose-hump-incr", "l-cheek-incr", "l-cheek-decr",
             "r-cheek-incr", "r-cheek-decr"]  # fmt: skip
    decr, incr, left, left_in, right, right_in = weights_of(names, 0.5, 0.5).T
    assert (np.minimum(decr, incr) == 0).all() and (decr + incr > 0).all()
    assert 0.4 < (incr > 0).mean() < 0.6 and max(incr.max(), decr.max()) <= 1
    assert incr[incr > 0].std() > 0.05
    assert np.corrcoef(left - left_in, right - right_in)[0, 1] > 0.85
    assert not np.array_equal(left, right)


def test_origin_gender_and_age_share_the_whole():
    names = [
        f"{origin}-{gender}-{years}"
        for origin in ("african", "asian", "caucasian")
        for gender in ("female", "male")
        for years in ("young", "old")
    ]
    weights = weights_of(names, age=0.25, masculine=0.9)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    old_men = [i for i, name in enumerate(names) if name.endswith("-male-old")]
    np.testing.assert_allclose(weights[:, old_men].sum(1), 0.25 * 0.9, atol=1e-6)
    african = [i for i, name in enumerate(names) if name.startswith("african")]
    assert 0.25 < weights[:, african].sum(1).mean() < 0.42


def test_weight_and_muscle_share_the_whole_as_well():
    names = [
        f"universal-male-old-{built}muscle-{fat}weight"
        for built in ("min", "average", "max")
        for fat in ("min", "average", "max")
    ]
    weights = weights_of(names, age=1.0, masculine=1.0)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    assert (weights >= 0).all() and (np.count_nonzero(weights, axis=1) <= 4).all()
    assert (
        weights[:, names.index("universal-male-old-averagemuscle-averageweight")] > 0.1
    ).mean() > 0.8


def test_a_person_is_the_base_and_weighted_targets(heads):
    shape = heads.shape(np.random.default_rng(3), 0.0, 0.0)
    weights = heads._weights(np.random.default_rng(3), 0.0, 0.0)
    by_hand = heads.vertices + np.tensordot(weights, heads.targets, 1)
    np.testing.assert_allclose(shape, by_hand, atol=1e-5)
    old_or_male = [
        i for i, name in enumerate(heads.names) if name.endswith("old") or "-male-" in name
    ]
    assert not weights[old_or_male].any() and weights.any()


def test_placing_takes_turn_size_and_place_away(head):
    angle = 0.4
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    moved = 0.11 * (head.vertices @ turn) + [1.0, -2.0, 3.0]
    back = placed(moved, head.vertices, head.landmarks68)
    np.testing.assert_allclose(back, head.vertices, atol=1e-4)
    mirrored = placed(head.vertices * [-1, 1, 1], head.vertices, head.landmarks68)
    assert np.abs(mirrored - head.vertices).max() > 1  # a mirror image is no turned head


def test_a_file_brings_the_same_heads_back(head, heads, tmp_path):
    path = tmp_path / "new" / "sculpted.npz"
    save_sculpted(heads, path, head)
    again = load_sculpted(path, head)
    assert again.names == heads.names and again.targets.dtype == np.float32
    np.testing.assert_array_equal(again.vertices, heads.vertices)
    np.testing.assert_allclose(again.targets, heads.targets, atol=1e-3)
    assert [p.name for p in path.parent.iterdir()] == ["sculpted.npz"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": np.array(["nose-hump-incr"])}, "shape .* asks for .1, "),
        ({"targets": None}, "arrays .'targets'. are missing"),
        ({"vertices": np.zeros((5, 3))}, "this head asks for .* make it anew for this head"),
        ({"targets": "nan"}, "'targets' is not finite"),
        ({"names": "twice"}, "'head-round' stands twice"),
        ({"names": "sliders"}, "no target such as 'asian-male-old'"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(head, heads, tmp_path, change, message):
    arrays = {"vertices": heads.vertices, "targets": heads.targets, "names": np.array(heads.names)}
    for name, value in change.items():
        if isinstance(value, str):
            value = {
                "nan": np.where(np.arange(len(heads.names)) == 0, np.nan, 0)[:, None, None]
                + heads.targets,
                "twice": np.array([*heads.names[:-2], "head-round", "head-round"]),
                "sliders": np.array([f"nose-{i}" for i in range(len(heads.names))]),
            }[value]
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value
    path = tmp_path / "sculpted.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message) as error:
        load_sculpted(path, head)
    assert str(path) in str(error.value)


def test_what_cannot_be_read_back_does_not_replace_what_can(head, heads, tmp_path):
    path = tmp_path / "sculpted.npz"
    save_sculpted(heads, path, head)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="finite"):
        save_sculpted(replace(heads, vertices=np.full_like(heads.vertices, np.nan)), path, head)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(FileNotFoundError):
        load_sculpted(tmp_path / "none.npz", head)
