"""Kind 3: which photos become rows, what the rows say, why others do not."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from df2net_hub.cli import main
from df2net_hub.demo_photo import demo_photo
from df2net_hub.face_pose import FacePose
from df2net_hub.faces import FaceBox, get_detector, inside_photo
from df2net_hub.pairs import decode_pair, decode_picture, open_pairs
from df2net_hub.photo_pairs import FinePhotos, PhotoLimits
from df2net_hub.photo_source import PhotoSource
from df2net_hub.photos import load_photo

ANY = PhotoLimits(min_face=0, max_yaw=90, max_pitch=90, min_sharpness=0, min_detail=0)
USUAL = PhotoLimits()


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    pytest.importorskip("skimage", reason="the photograph comes with scikit-image")
    return Image.open(demo_photo()).crop((100, 0, 356, 256))


@pytest.fixture(scope="module")
def folder(astronaut: Image.Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One portrait in many disguises, and files of which none is a portrait."""
    folder = tmp_path_factory.mktemp("photos")
    astronaut.save(folder / "a_plain.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    astronaut.transpose(Image.Transpose.ROTATE_90).save(
        folder / "b_turned.jpg", exif=exif, quality=95
    )
    astronaut.convert("CMYK").save(folder / "c_cmyk.tif")
    gray = np.asarray(astronaut.convert("L")).astype(np.uint16) * 257
    cv2.imwrite(str(folder / "d_16bit.png"), gray)
    frames = [astronaut, Image.new("RGB", astronaut.size)]
    frames[0].save(folder / "e_animated.gif", save_all=True, append_images=frames[1:])
    (folder / "f_broken.jpg").write_bytes((folder / "b_turned.jpg").read_bytes()[:3000])
    (folder / "g_text.png").write_text("no picture")
    astronaut.resize((20, 20)).save(folder / "h_tiny.png")
    Image.new("RGB", (256, 256), (90, 120, 60)).save(folder / "i_meadow.png")
    (folder / "list.txt").write_text("not a photo")
    return folder


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, dict | str]:
    source = PhotoSource.find(str(folder))
    make = FinePhotos(source, limits=ANY, size=128).open()
    return {name: make(index) for index, name in enumerate(source.files)}


def test_a_portrait_becomes_a_fine_row_without_depth(made) -> None:
    row = made["a_plain.png"]
    assert row["id"] == "a_plain.png" and row["source"] == "fine"
    assert row["depth"] is row["normals"] is row["light"] is None
    image, mask, albedo = (decode_picture(row[name]) for name in ("image", "mask", "albedo"))
    assert image.shape == albedo.shape == (128, 128, 3)
    assert 0.15 < (mask > 127).mean() < 0.55
    assert abs(row["camera"]["yaw"]) < 25 and abs(row["camera"]["roll"]) < 15
    assert 0.2 < row["camera"]["mm_per_px"] < 1
    assert row["scores"]["detail"] > 0 and 0 < row["scores"]["sharpness"] < 1
    assert row["scores"]["flip_px"] is None


@pytest.mark.parametrize("name", ["b_turned.jpg", "c_cmyk.tif", "d_16bit.png", "e_animated.gif"])
def test_however_the_photo_is_stored_it_is_the_same_face(made, name) -> None:
    assert isinstance(made[name], dict), made[name]
    first, other = (decode_picture(made[n]["mask"]) > 127 for n in ("a_plain.png", name))
    assert (first & other).sum() > 0.9 * (first | other).sum()


def test_a_face_ends_where_its_photo_does(made, astronaut, tmp_path) -> None:
    astronaut.crop((0, 84, 256, 256)).save(tmp_path / "cut.png")  # through the forehead
    photo = load_photo(tmp_path / "cut.png")
    row = FinePhotos(PhotoSource.find(str(tmp_path)), limits=ANY, size=128).open()(0)
    box = get_detector("dlib")(photo)[0]
    inside = inside_photo(box, (photo.shape[1], photo.shape[0]), 128)
    first = np.flatnonzero(inside.any(axis=1))[0]
    mask = decode_picture(row["mask"]) > 127
    assert first > 10 and not mask[:first].any() and mask[first].sum() > 20
    whole = made["a_plain.png"]["camera"]["mm_per_px"]
    assert row["camera"]["mm_per_px"] == pytest.approx(whole, rel=0.15)


@pytest.mark.parametrize("name", ["f_broken.jpg", "g_text.png", "h_tiny.png"])
def test_what_cannot_be_read_is_a_reason_and_named_in_the_log(made, folder, name, caplog) -> None:
    assert made[name] == "unreadable or tiny picture"
    source = PhotoSource(str(folder), (name,), "image", 1)
    FinePhotos(source, "none").open()(0)
    assert name in caplog.text


def test_a_photo_without_a_face_is_a_reason(made) -> None:
    assert made["i_meadow.png"] == "no face found"


@pytest.mark.parametrize(
    ("side", "pose", "sharpness", "detail", "reason"),
    [
        (400, (0, 0, 0), 0.6, 5, None),
        (100, (0, 0, 0), 0.6, 5, "face smaller than"),
        (400, (50, 0, 0), 0.6, 5, "turned beyond"),
        (400, (0, -40, 0), 0.6, 5, "turned beyond"),
        (400, (0, 0, 80), 0.6, 5, None),
        (400, (0, 0, 0), 0.1, 5, "sharpness below"),
        (400, (0, 0, 0), 0.6, 0.1, "detail below"),
    ],
)
def test_a_limit_refuses_with_its_reason(side, pose, sharpness, detail, reason) -> None:
    box = FaceBox(0, 0, side, 1.0, "dlib")
    refusal = USUAL.refusal(box, FacePose(*pose), sharpness, detail)
    assert refusal is None if reason is None else refusal.startswith(reason)


def test_a_photo_that_lies_on_its_side_is_refused(astronaut, tmp_path) -> None:
    astronaut.rotate(90).save(tmp_path / "lying.png")
    maker = FinePhotos(PhotoSource.find(str(tmp_path)), "none", ANY).open()
    assert maker(0) == "photo lies on its side or upside down"


def test_a_stricter_limit_refuses_the_portrait(folder) -> None:
    source = PhotoSource(str(folder), ("a_plain.png",), "image", 1)
    strict = PhotoLimits(min_face=1000, max_yaw=90, max_pitch=90, min_sharpness=0, min_detail=0)
    assert FinePhotos(source, "none", strict).open()(0) == "face smaller than 1000 px"


def test_sfsnet_albedo_that_is_black_on_the_face_is_refused(folder, tmp_path) -> None:
    Image.new("RGB", (128, 128)).save(tmp_path / "a_plain.png")
    source = PhotoSource(str(folder), ("a_plain.png",), "image", 1)
    maker = FinePhotos(source, f"sfsnet:{tmp_path}", ANY)
    assert maker.open()(0) == "albedo leaves parts of the face black"


def test_the_recipe_tells_other_photos_and_other_limits_apart(folder) -> None:
    source = PhotoSource.find(str(folder))
    less = PhotoSource(source.place, source.files[:-1] + ("z.png",), "image", source.count)
    recipes = [
        FinePhotos(source).recipe(),
        FinePhotos(less).recipe(),
        FinePhotos(source, limits=ANY).recipe(),
        FinePhotos(source, "none").recipe(),
    ]
    assert all(recipes[0] != other for other in recipes[1:])
    assert recipes[0] == FinePhotos(PhotoSource.find(str(folder))).recipe()


def test_the_recipe_tells_other_weights_of_albedo_apart_by_their_content(folder, tmp_path) -> None:
    source = PhotoSource.find(str(folder))
    found = [FinePhotos(source).recipe()]
    for content in (b"1", b"2"):
        (tmp_path / "model.safetensors").write_bytes(content)
        found.append(FinePhotos(source, f"albedonet:{tmp_path}").recipe())
    assert "albedo_weights" not in found[0]
    first, second = (recipe["albedo_weights"] for recipe in found[1:])
    assert first != second and first.startswith(f"{tmp_path.name} sha256:6b86b273ff34fce1")
    assert str(tmp_path) not in first
    hub = FinePhotos(source, "albedonet:owner/name").recipe()
    assert hub["albedo_weights"] == "owner/name"


def test_the_command_writes_a_set_and_says_what_became_of_the_photos(
    folder, tmp_path, capsys
) -> None:
    out = str(tmp_path / "fine")
    flags = "--min-face 0 --min-sharpness 0 --min-detail 0 --size 64 --albedo none".split()
    assert main(["prepare-photos", str(folder), "-o", out, *flags]) == 0
    said = capsys.readouterr().out
    assert "5 pairs, 9 of 9 inputs made now" in said
    assert "rejected 4: 3 unreadable or tiny picture, 1 no face found" in said
    pairs = open_pairs(out)
    assert pairs["id"][:2] == ["a_plain.png", "b_turned.jpg"]
    assert "depth" not in decode_pair(pairs[0]) and decode_pair(pairs[0])["mask"].any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "is no folder"),
        (["{folder}", "--albedo", "sfsnet:gone"], "no folder 'gone'"),
        (["{folder}", "--albedo", "best"], "albedo must be"),
        (["{folder}", "--detector", "eyes"], "no detector named 'eyes'"),
    ],
)
def test_a_wrong_argument_is_told_before_any_work(
    folder, tmp_path, capsys, arguments, message
) -> None:
    given = [text.format(folder=folder) for text in arguments]
    assert main(["prepare-photos", *given, "-o", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
