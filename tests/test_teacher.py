"""Photos in, pairs out, with the tiny cascade and with the bundled teacher."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from df2net_hub.demo_photo import demo_photo
from df2net_hub.faces import FaceBox
from df2net_hub.pairs import decode_pair
from df2net_hub.pipelines.df2net import BUNDLED_WEIGHTS, DF2NetPipeline
from df2net_hub.teacher import TaughtPairs, bring_back, teach, turned_row
from df2net_hub.teacher_checks import TeacherLimits, measures
from df2net_hub.turned_photos import Scene

ANYTHING = TeacherLimits(
    **{
        name: (-np.inf if name.startswith("least") else np.inf)
        for name in TeacherLimits.__dataclass_fields__
        if name != "most_jitter_px"
    }
)


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("skimage")
    path = tmp_path_factory.mktemp("photo") / "portrait.png"
    Image.open(demo_photo()).convert("RGB").save(path)
    return path


def make(*photos: Path, **options: object):
    names = tuple(photo.stem for photo in photos)
    maker = TaughtPairs(tuple(map(str, photos)), names, **options)  # type: ignore[arg-type]
    one = maker.open()
    return [one(index) for index in range(len(photos))]


@pytest.fixture(scope="module")
def taught(tiny_folder: Path, portrait: Path):
    """The row of the portrait at full size, whatever its quality."""
    (row,) = make(portrait, model=str(tiny_folder), detector="none", limits=ANYTHING)
    return row


def decoded(row) -> dict[str, np.ndarray]:
    return decode_pair({k: {"bytes": v} if isinstance(v, bytes) else v for k, v in row.items()})


def test_what_cannot_teach_is_rejected_with_a_reason(
    tiny_folder: Path, portrait: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    Image.open(portrait).rotate(90).save(tmp_path / "lying.png")
    photos = (tmp_path / "broken.jpg", portrait, tmp_path / "lying.png")
    broken, untrained, lying = make(*photos, model=str(tiny_folder))
    assert broken == "photo that cannot be read"
    assert untrained == "mask too large for its crop"  # its mask says "face" nearly everywhere
    assert lying == "photo lies on its side or upside down"


def test_a_pair_is_what_the_pipeline_gives(taught, tiny_folder: Path, portrait: Path) -> None:
    assert (taught["id"], taught["source"]) == ("portrait", "reconstructed")
    pair = decoded(taught)
    pipe = DF2NetPipeline.from_pretrained(tiny_folder)
    (face,) = pipe(portrait, detector="none").faces
    assert (pair["mask"] == face.mask).all()
    height = face.depth - face.depth[face.mask].mean()
    np.testing.assert_allclose(pair["depth"][face.mask] * 127.5, height[face.mask], atol=0.02)
    cosine = (pair["normals"] * face.normals).sum(-1)[face.mask]
    assert cosine.min() > 0.999
    assert taught["scores"]["flip_px"] > 0


def test_a_smaller_pair_has_the_same_depth(taught, tiny_folder: Path, portrait: Path) -> None:
    options = {"model": str(tiny_folder), "detector": "none", "limits": ANYTHING}
    (row,) = make(portrait, size=128, **options)
    large, small = decoded(taught), decoded(row)
    assert small["depth"].shape == (128, 128) and small["image"].shape == (128, 128, 3)
    means = np.nanmean(large["depth"].reshape(128, 4, 128, 4), axis=(1, 3))
    both = np.isfinite(means) & np.isfinite(small["depth"])
    assert both.mean() > 0.5
    assert np.median(np.abs(means - small["depth"])[both]) < 0.02


def test_a_shifted_and_zoomed_crop_is_brought_back() -> None:
    box, moved = FaceBox(10, 20, 100, 1, "t"), FaceBox(14, 12, 125, 1, "t")

    def slope(b: FaceBox) -> np.ndarray:
        """A plane in photo coordinates, in pixels of the crop."""
        edge = (np.arange(256) + 0.5) / 256 * b.side
        x, y = np.meshgrid(b.x + edge, b.y + edge)
        return (0.3 * x + 0.1 * y) * 256 / b.side

    back = bring_back(slope(moved), moved, box)
    known = np.isfinite(back)
    assert known.mean() > 0.9 and not known[:, 0].any()
    np.testing.assert_allclose(back[known], slope(box)[known], rtol=1e-3)


@pytest.mark.skipif(not BUNDLED_WEIGHTS.is_dir(), reason="this checkout carries no weights")
def test_the_bundled_teacher_measures_the_portrait_as_a_face(portrait: Path) -> None:
    pipe = DF2NetPipeline.from_pretrained()
    photo = np.asarray(Image.open(portrait))
    (box,) = pipe.find_faces(photo)
    taught = teach(pipe, photo, box, jitter=True)
    assert taught is not None
    measured = measures(taught[1])
    assert 0.3 < measured["relief"] < 0.7
    assert measured["nose_off"] < 0.2 and measured["convexity"] > 0.9
    assert 0 < measured["flip_px"] < 8 and 0 < measured["jitter_px"] < 10


def test_turned_photos_follow_the_photo_they_come_from(tiny_folder: Path, portrait: Path) -> None:
    options = {"model": str(tiny_folder), "detector": "none", "limits": ANYTHING, "size": 96}
    maker = TaughtPairs((str(portrait),), ("portrait",), turns=2, seed=5, **options)
    one = maker.open()
    rows = [one(index) for index in range(3)]
    assert [row["id"] for row in rows] == ["portrait", "portrait-turned1", "portrait-turned2"]
    assert {row["source"] for row in rows} == {"reconstructed"}
    (as_it_is,) = make(portrait, **options)
    assert rows[0] == as_it_is
    pairs = [decoded(row) for row in rows]
    for pair in pairs[1:]:
        assert pair["image"].shape == (96, 96, 3) and pair["mask"].any()
        assert abs(float(pair["depth"][pair["mask"]].mean())) < 1e-3
        assert np.abs(pair["image"].astype(int) - pairs[0]["image"]).mean() > 3
    assert np.abs(pairs[1]["image"].astype(int) - pairs[2]["image"]).mean() > 3


def test_turns_depend_on_seed_and_number_alone(tiny_folder: Path, portrait: Path) -> None:
    options = {"model": str(tiny_folder), "detector": "none", "limits": ANYTHING, "size": 64}

    def second(seed: int):
        return TaughtPairs((str(portrait),), ("p",), turns=2, seed=seed, **options).open()(2)

    assert second(0) == second(0)
    assert second(0)["image"] != second(1)["image"]


def test_a_crop_beside_the_turned_face_is_rejected() -> None:
    nothing = np.zeros((64, 64, 3), np.float32)
    mask = np.zeros((64, 64), bool)
    mask[:10, :10] = True  # 2 % of the crop
    height = np.where(mask, 5.0, np.nan)
    beside = Scene(nothing.astype(np.uint8), mask, height, nothing)
    assert turned_row("p", beside, 1.0) == "turned: something else taken for the face"
    mask = np.ones((64, 64), bool)
    whole = Scene(nothing.astype(np.uint8), mask, np.full((64, 64), 5.0), nothing + [0, 0, 1])
    row = turned_row("p", whole, 1.0)
    assert isinstance(row, dict) and row["scores"]["flip_px"] == 1.0


def test_turned_photos_without_panoramas_are_refused(tiny_folder: Path, portrait: Path) -> None:
    maker = TaughtPairs((str(portrait),), ("p",), model=str(tiny_folder), assets=str(tiny_folder))
    with pytest.raises(FileNotFoundError, match="holds no light"):
        maker.open()
