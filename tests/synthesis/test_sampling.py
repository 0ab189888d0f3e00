"""Sampling: people stay themselves over pictures and whatever else is left out."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from df2net_hub.synthesis import sampling
from df2net_hub.synthesis.appearance import procedural_assets
from df2net_hub.synthesis.eyes import EYEBALLS
from df2net_hub.synthesis.face_map import TILE
from df2net_hub.synthesis.morphable import save_morphable
from df2net_hub.synthesis.person import Person, sample_person
from df2net_hub.synthesis.procedural import procedural_head, procedural_sculpted
from df2net_hub.synthesis.recipe import INGREDIENTS, SynthesisRecipe
from df2net_hub.synthesis.render import Scene
from df2net_hub.synthesis.sampling import HeadSampler, sample_gaze, sample_pose
from df2net_hub.synthesis.sculpted import placed, save_sculpted
from df2net_hub.synthesis.streams import Streams

EVERYTHING = SynthesisRecipe()
INDEX = 3
PHOTOS = tuple(np.full((8, 16, 3), value, np.uint8) for value in (90, 200))
PHOTO_NAMES = ("dark photo", "fair photo")
CREASES = tuple(np.zeros((TILE, TILE), np.uint8) for _ in PHOTOS)
CREASES[0][100:110] = 255
CREASES[1][200:210] = 51


@pytest.fixture(scope="module")
def sampler() -> HeadSampler:
    assets = replace(
        procedural_assets(),
        photo_skins=PHOTOS,
        photo_skin_names=PHOTO_NAMES,
        photo_creases=CREASES,
    )
    head = procedural_head()
    return HeadSampler(head, assets, SynthesisRecipe(), procedural_sculpted(head))


@cache
def drawn(sampler: HeadSampler, without: tuple[str, ...], index: int) -> tuple[Person, Scene]:
    """The person and the scene of picture `index`, before it is rendered."""
    sampler.recipe = SynthesisRecipe(without=without)
    streams = Streams(0, index, index)
    person = sample_person(
        streams, sampler.recipe, sampler.library, sampler.photos, sampler.overlay_kit, sampler.face
    )
    return person, sampler._scene(streams, person)[0]


# What a switch may change: fields of the scene or of its look.
CHANGES = {
    "skins": {"look.skins", "look.overlay"},
    "photo_skins": {
        "look.skins",
        "look.skin_mix",
        "look.skin_gain",
        "look.overlay",
        "look.hair_color",
        "look.iris_color",
        "occluders",
        "wrinkles",
        "cavities",
    },
    "tones": {"look.skin_mix", "look.skin_gain", "look.overlay", "occluders"},
    "overlay": {"look.overlay"},
    "wrinkles": {"wrinkles", "cavities"},
    "cavities": {"cavities"},
    "expressions": {"shape", "wrinkles", "cavities", "center", "side", "occluders"},
    "eyes": {
        "look.iris_color",
        "look.gaze",
        "look.overlay",
        "occluders",
        "lids",
        "light.catchlight",
    },
    "mouth": {"look.teeth_color"},
    "lips": {"look.overlay", "shape", "center", "side", "occluders"},
    "brows": {"look.overlay"},
    "beard": {"look.overlay", "occluders"},
    "hair": {"occluders"},
    "curtains": {"occluders"},
    "glasses": {"occluders"},
    "occluders": {"occluders"},
    "lamps": {"light.directions", "light.colors"},
    "shadows": {"shadows"},
    "gloss": {"gloss"},
    "backgrounds": set(),
    "perspective": {"distance"},
    "camera": set(),
    "sculpted": {"shape", "center", "side", "occluders"},
    "forms": {"shape", "center", "side", "occluders"},
    "stretch": {"shape", "center", "side", "occluders"},
}


def differing(one: object, other: object, prefix: str = "") -> set[str]:
    found = set()
    for name in vars(one):
        a, b = getattr(one, name), getattr(other, name)
        if name in ("look", "light"):
            found |= differing(a, b, f"{name}.")
        elif name == "occluders":
            same = len(a) == len(b) and all(
                np.array_equal(x.vertices, y.vertices) and np.array_equal(c, d)
                for (x, c), (y, d) in zip(a, b, strict=True)
            )
            found |= set() if same else {name}
        elif name == "catchlight" and a is not None and b is not None:
            found |= {f"{prefix}{name}"} if differing(a, b) else set()
        elif name == "skins":
            same = all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
            found |= set() if same else {f"{prefix}{name}"}
        elif not np.array_equal(np.asarray(a), np.asarray(b)):
            found.add(f"{prefix}{name}")
    return found


def test_a_lean_moves_what_is_below_the_eyes_forward(
    sampler: HeadSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    for lean in (0.0, -0.2):
        monkeypatch.setattr(sampling, "LEAN", (lean, 0.0))
        drawn.cache_clear()
        shapes.append(drawn(sampler, (), INDEX)[1].shape)
    drawn.cache_clear()
    upright, leaning = shapes
    eyes = upright[sampler.model.landmarks68][36:48, 1].mean()
    moved = leaning - upright
    np.testing.assert_array_equal(moved[:, :2], 0)
    np.testing.assert_allclose(moved[:, 2], -0.2 * (upright[:, 1] - eyes), atol=1e-5)


def test_sculpted_people_take_the_place_of_the_models_wholly_or_in_part(
    sampler: HeadSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = ("stretch", "forms", "expressions")
    shapes = []
    for odds in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)):
        monkeypatch.setattr(sampling, "SCULPTED_ODDS", odds)
        drawn.cache_clear()
        person, scene = drawn(sampler, still, INDEX)
        shapes.append(scene.shape)
    drawn.cache_clear()
    skin = ~sampler.model.vertex_flags(EYEBALLS)  # eyeballs move behind their lids
    models, sculpted, between = (shape[skin] for shape in shapes)
    identity = Streams(0, INDEX, INDEX).person("identity").standard_normal(8)
    person_of_model = sampler.model.shape(identity, np.zeros(3))
    np.testing.assert_allclose(models, person_of_model[skin], atol=1e-5)
    rng = Streams(0, INDEX, INDEX).person("sculpted")
    rng.random()
    rng.choice(3)  # what decided how much of it
    other = sampler.sculpted.shape(rng, person.age, person.masculine)
    other = placed(other, sampler.model.vertices, sampler.model.landmarks68)
    np.testing.assert_allclose(sculpted, other[skin], atol=1e-5)
    part = ((between - models) * (sculpted - models)).sum() / ((sculpted - models) ** 2).sum()
    assert 0 < part < 1
    np.testing.assert_allclose(between, models + part * (sculpted - models), atol=1e-5)


def test_a_folder_with_sculpted_heads_renders_them(tmp_path: Path) -> None:
    head = procedural_head()
    save_morphable(head, tmp_path / "head.npz")
    (tmp_path / "light").mkdir()
    np.savez(tmp_path / "light" / "environments.npz", radiance=np.ones((1, 8, 16, 3), np.float16))
    (tmp_path / "skins").mkdir()
    cv2.imwrite(str(tmp_path / "skins" / "a.jpg"), np.full((16, 32, 3), 150, np.uint8))
    assert HeadSampler.from_folder(tmp_path, 48).sculpted is None
    save_sculpted(procedural_sculpted(head), tmp_path / "sculpted.npz", head)
    found = HeadSampler.from_folder(tmp_path, 48).sculpted
    assert found is not None and len(found.names) == 17


@pytest.mark.parametrize("ingredient", INGREDIENTS)
def test_a_switch_changes_nothing_but_what_it_names(sampler: HeadSampler, ingredient: str) -> None:
    changed = set()
    for index in range(3):
        _, whole = drawn(sampler, (), index)
        _, ablated = drawn(sampler, (ingredient,), index)
        changed |= differing(whole, ablated)
    assert changed <= CHANGES[ingredient]


@pytest.mark.parametrize("ingredient", sorted(CHANGES))
def test_a_switch_does_change_what_it_names(sampler: HeadSampler, ingredient: str) -> None:
    """In some of a handful of pictures: not everybody wears glasses."""
    if not CHANGES[ingredient]:
        whole, ablated = (
            HeadSampler(sampler.model, sampler.assets, SynthesisRecipe(without=without))
            for without in ((), (ingredient,))
        )
        one, other = (each.pair(0, INDEX, 48) for each in (whole, ablated))
        np.testing.assert_array_equal(one.depth, other.depth)
        assert (one.image != other.image).any()
        return
    assert any(
        differing(drawn(sampler, (), i)[1], drawn(sampler, (ingredient,), i)[1]) for i in range(40)
    )


def test_what_is_left_out_is_gone(sampler: HeadSampler) -> None:
    bare = tuple(set(INGREDIENTS) - {"skins", "tones"})
    person, scene = drawn(sampler, bare, INDEX)
    assert scene.occluders == [] and len(scene.light.directions) == 0
    assert np.isinf(scene.distance) and scene.gloss == 0 and not scene.wrinkles.any()
    assert (scene.cavities == 1).all()
    assert not person.look.overlay[..., 3].any() and not scene.look.gaze.any()


def test_the_three_poses_of_the_paper_show_one_person_in_one_shape() -> None:
    sampler = HeadSampler.procedural(SynthesisRecipe("paper"))
    pairs = [sampler.pair(0, index, 48) for index in (3, 4, 5, 6)]
    assert [pair.identity for pair in pairs] == ["0-0000001"] * 3 + ["0-0000002"]
    assert len({pair.yaw for pair in pairs}) == 4
    assert pairs[0].traits == pairs[1].traits == pairs[2].traits
    scenes = []
    for index in (3, 4):
        streams = Streams(0, 1, index)
        person = sample_person(
            streams,
            sampler.recipe,
            sampler.library,
            sampler.photos,
            sampler.overlay_kit,
            sampler.face,
        )
        scenes.append(sampler._scene(streams, person)[0])
    np.testing.assert_array_equal(scenes[0].shape, scenes[1].shape)
    np.testing.assert_array_equal(scenes[0].look.overlay, scenes[1].look.overlay)
    assert (scenes[0].light.sh != scenes[1].light.sh).any()


def test_traits_say_who_is_shown(sampler: HeadSampler) -> None:
    sampler.recipe = EVERYTHING
    pair = sampler.pair(0, INDEX, 48)
    assert 0 <= pair.traits["age"] <= 1 and pair.traits["mood"]
    known = {"light", "medium", "brown", "dark", *PHOTO_NAMES}
    assert set(str(pair.traits["skin"]).split("+")) <= known
    assert pair.identity == f"0-{INDEX:07d}"
    assert pair.distance_mm is None or 500 <= pair.distance_mm <= 2000


def test_creases_of_a_photographed_skin_are_furrows(sampler: HeadSampler) -> None:
    deepest = []
    for index in range(60):
        person, scene = drawn(sampler, (), index)
        painted, smooth = drawn(sampler, ("photo_skins",), index)
        assert painted.creases is None
        if person.creases is None:
            np.testing.assert_array_equal(scene.wrinkles, smooth.wrinkles)
            continue
        np.testing.assert_allclose(smooth.wrinkles - scene.wrinkles, person.creases, atol=1e-6)
        dark, fair = person.creases[105, 300], person.creases[205, 300]
        share = {"dark photo": (1, 0), "fair photo": (0, 1)}.get(person.skin)
        if share:  # not mixed of two
            assert (dark > 0, fair > 0) == tuple(map(bool, share))
            deepest.append(max(dark, 5 * fair))
        assert person.creases[150].max() == 0
    # 255 is 3 mm; people differ by a third.
    assert 0.25 < np.exp(np.log(deepest).mean()) < 0.36
    assert 0.15 < np.log(deepest).std() < 0.6


def test_some_people_wear_skins_of_photographs_with_the_brows_in_them(
    sampler: HeadSampler,
) -> None:
    without = ("overlay", "eyes")
    pairs = [
        [drawn(sampler, names, index)[0] for names in (without, (*without, "photo_skins"))]
        for index in range(60)
    ]
    worn = [pair for pair in pairs if "photo" in pair[0].skin]
    assert 0.4 < len(worn) / len(pairs) < 0.8
    for person, painted in worn:
        assert person.face_hair.brow == 0 and painted.face_hair.brow > 0
        assert (person.age, person.hair_style) == (painted.age, painted.hair_style)
        assert any(person.look.skins[0] is texture for texture in PHOTOS)
        if not person.face_hair.beard:
            assert not person.look.overlay[..., 3].any()
    tones = {
        name: np.mean([person.tone.mean() for person, _ in worn if person.skin == name])
        for name in PHOTO_NAMES
    }
    assert tones["fair photo"] > 1.5 * tones["dark photo"]


def test_most_heads_face_the_lens_and_none_is_seen_from_behind() -> None:
    poses = np.degrees([sample_pose(np.random.default_rng(i)) for i in range(2000)])
    yaw = np.abs(poses[:, 0])
    assert 0.70 < (yaw < 30).mean() < 0.92 and yaw.max() <= 62
    assert (yaw > 45).mean() > 0.03


def test_eyes_look_into_the_lens_more_often_than_away_from_it() -> None:
    pose = np.radians([25.0, 0, 0])
    gaze = np.array([sample_gaze(np.random.default_rng(i), pose) for i in range(400)])
    assert np.median(gaze[:, 0]) < -0.3  # the head's left is the picture's right


def test_another_attempt_draws_another_picture_of_the_same_person() -> None:
    first = Streams(1, 2, 3)
    second = replace(first, attempt=1)
    assert first.person("skin").random() == second.person("skin").random()
    assert first.picture("pose").random() != second.picture("pose").random()
