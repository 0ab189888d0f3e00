import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from df2net_hub.demo_photo import demo_photo
from df2net_hub.faces import FaceBox, crop_face
from df2net_hub.geometry import depth_to_normals, mm_per_px_from_face, network_depth_to_px
from df2net_hub.model_card import TrainingRecord
from df2net_hub.modeling.cascade import DF2Net, Stages
from df2net_hub.modeling.dnet import DNet, DNetConfig
from df2net_hub.pipelines.df2net import BUNDLED_WEIGHTS, DF2NetPipeline
from df2net_hub.pipelines.upright import turned, turned_mask

BOX = FaceBox(130.0, 30.0, 200.0, 1.0, "given")
INNER = (slice(100, 400), slice(100, 400))  # well inside the mask


@pytest.fixture(scope="module")
def pipe(tiny_cascade: DF2Net) -> DF2NetPipeline:
    return DF2NetPipeline(tiny_cascade)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.asarray(Image.open(demo_photo()).convert("RGB"))


class BrightIsFace(DNet):
    """A dense network with a mask head that takes every bright pixel for face."""

    def forward(self, photo: Tensor) -> Tensor:
        brightness = photo.mean(1, keepdim=True)
        return torch.cat([torch.zeros_like(brightness), 20 * brightness], 1)


@pytest.fixture(scope="module")
def bright_pipe(tiny_cascade: DF2Net) -> DF2NetPipeline:
    dense = BrightIsFace(DNetConfig(width=2, levels=2, mask_head=True))
    return DF2NetPipeline(DF2Net(dense=dense, fine=tiny_cascade.fine, finer=tiny_cascade.finer))


def finds_nothing(pixels: np.ndarray) -> list[FaceBox]:
    return []


def disk_photo(row: float, column: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:300, :400]
    disk = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    return np.where(disk[..., None], np.uint8(255), np.uint8(0)).repeat(3, axis=2)


def test_the_maps_are_the_networks_output_in_pixels(
    pipe: DF2NetPipeline, photo: np.ndarray
) -> None:
    (face,) = pipe(photo, box=BOX).faces
    crop = torch.from_numpy(crop_face(photo, BOX, 512)).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.inference_mode():
        stages = pipe.cascade(crop)
    assert face.mask.shape == (512, 512) and face.mask.dtype == bool
    assert face.mask.mean() > 0.9
    for name in ("dense", "fine", "finer"):
        expected = (getattr(stages, name)[0, 0].numpy() + 1) * 127.5
        got = face.stages[name]
        assert got.dtype == np.float32
        np.testing.assert_allclose(got[face.mask], expected[face.mask], atol=1e-3)
        assert not got[~face.mask].any()
    assert np.array_equal(face.depth, face.stages["finer"])


def test_the_normals_are_those_of_the_finer_depth(pipe: DF2NetPipeline, photo: np.ndarray) -> None:
    (face,) = pipe(photo, box=BOX).faces
    assert face.normals.shape == (512, 512, 3)
    np.testing.assert_allclose(np.linalg.norm(face.normals, axis=2), 1, atol=1e-5)
    expected = depth_to_normals(torch.from_numpy(face.depth)[None, None])[0].permute(1, 2, 0)
    assert face.mask[INNER].all()
    np.testing.assert_allclose(face.normals[INNER], expected.numpy()[INNER], atol=1e-4)


def test_the_neck_is_no_face_but_counts_for_its_size(pipe: DF2NetPipeline) -> None:
    rows, columns = np.mgrid[:512, :512]
    face = (rows >= 100) & (rows < 400) & (columns >= 130) & (columns < 380)
    neck = (rows >= 400) & (rows < 460) & (columns >= 200) & (columns < 320)
    fold = np.clip((400 - rows) * 8.0 / 127.5, -0.6, 0)  # 83 degrees, from the chin down
    depth = torch.from_numpy(fold.astype(np.float32))[None, None]
    logits = torch.from_numpy(np.where(face | neck, 5.0, -5.0).astype(np.float32))[None, None]
    crop, around = np.zeros((512, 512, 3), np.uint8), FaceBox(0, 0, 512, 0.0, "given")
    found = pipe.to_face(Stages(depth, depth, depth, depth, logits), crop, around, (512, 512))
    assert found.mask[390, 150:360].all() and not found.mask[402:].any()
    assert not found.depth[402:].any()
    whole = mm_per_px_from_face(network_depth_to_px(depth[0, 0].numpy()), face | neck)
    assert found.mm_per_px == pytest.approx(whole)


def test_the_face_ends_where_the_photo_ends_but_counts_whole_for_its_size(
    bright_pipe: DF2NetPipeline,
) -> None:
    """Half of a bright disk is in the photo; its edge, repeated, is as bright beyond."""
    photo = disk_photo(150, 400, 80)
    (face,) = bright_pipe(photo, box=FaceBox(300, 50, 200, 0.0, "given")).faces
    assert not face.mask[:, 256:].any() and face.mask[150:360, 200:256].all()
    assert not face.depth[:, 256:].any()
    (wide,) = bright_pipe(
        np.pad(photo, ((0, 0), (0, 100), (0, 0)), "edge"), box=FaceBox(300, 50, 200, 0.0, "given")
    ).faces
    assert wide.mask[150:360, 256:400].all()
    assert face.mm_per_px == wide.mm_per_px


def test_a_photo_may_be_a_path_a_picture_or_an_array(pipe: DF2NetPipeline) -> None:
    path = demo_photo()
    results = pipe([str(path), path, Image.open(path), np.asarray(Image.open(path))])
    first = results[0].faces[0]
    assert len(results) == 4
    for result in results:
        assert np.array_equal(result.faces[0].depth, first.depth)
    assert [result.photo_path for result in results] == [path, path, None, None]
    assert results[0].photo_size == (512, 512)


def test_dlib_finds_the_astronaut(pipe: DF2NetPipeline) -> None:
    (face,) = pipe(demo_photo()).faces
    assert face.box.found_by == "dlib"
    assert face.box.x + face.box.side / 2 == pytest.approx(224, abs=15)
    assert face.box.y + face.box.side / 2 == pytest.approx(120, abs=25)


def test_the_photo_is_the_crop_where_no_detector_is_wanted(pipe: DF2NetPipeline) -> None:
    (face,) = pipe(disk_photo(150, 200, 80), detector="none").faces
    assert face.box.found_by == "none"


def test_a_detector_of_ones_own_decides_the_faces_and_their_order(
    pipe: DF2NetPipeline, photo: np.ndarray
) -> None:
    boxes = [BOX, FaceBox(10.0, 20.0, 90.0, 0.5, "dlib")]
    result = pipe(photo, detector=lambda pixels: boxes)
    assert [face.box for face in result.faces] == boxes


def test_the_mask_of_the_network_finds_what_the_detector_missed(
    bright_pipe: DF2NetPipeline,
) -> None:
    (face,) = bright_pipe(disk_photo(120, 250, 40), detector=finds_nothing).faces
    box = face.box
    assert box.found_by == "mask"
    assert (box.x + box.side / 2, box.y + box.side / 2) == pytest.approx((250, 120), abs=3)
    assert box.side == pytest.approx(np.sqrt(np.pi) * 40 / 0.56, rel=0.4)


def test_a_photo_without_a_face_gives_no_faces(bright_pipe: DF2NetPipeline) -> None:
    black = np.zeros((300, 400, 3), np.uint8)
    assert bright_pipe(black, detector=finds_nothing).faces == ()
    assert bright_pipe(black + np.uint8(255), detector=finds_nothing).faces == ()


def test_a_saved_pipeline_gives_bit_equal_maps(
    pipe: DF2NetPipeline, photo: np.ndarray, tmp_path: Path
) -> None:
    pipe.save_pretrained(tmp_path / "saved")
    again = DF2NetPipeline.from_pretrained(tmp_path / "saved")
    before, after = (p(photo, box=BOX).faces[0] for p in (pipe, again))
    for name in ("dense", "fine", "finer"):
        assert np.array_equal(before.stages[name], after.stages[name])
    assert np.array_equal(before.mask, after.mask)


def test_the_training_record_stays_with_the_weights_and_fills_the_card(
    tiny_cascade: DF2Net, tmp_path: Path
) -> None:
    pipe = DF2NetPipeline(tiny_cascade)
    pipe.training = TrainingRecord(origin="df2net_hub", seed=3, hardware="two CPU cores")
    pipe.save_pretrained(tmp_path)
    pipe.training = TrainingRecord(origin="df2net_hub", seed=4, hardware="two CPU cores")
    pipe.save_pretrained(tmp_path)
    assert DF2NetPipeline.from_pretrained(tmp_path).training == pipe.training
    card = (tmp_path / "README.md").read_text()
    assert "- Seed: 4\n- Hardware: two CPU cores\n" in card
    parameters = sum(p.numel() for p in tiny_cascade.fine.parameters())
    assert f"| fine | `fnet_base` | {parameters:,} |" in card


def test_to_moves_the_cascade_and_gives_the_pipeline_back(pipe: DF2NetPipeline) -> None:
    assert pipe.to("cpu") is pipe
    assert pipe.device == torch.device("cpu")


def test_a_source_that_is_neither_folder_nor_hub_id_is_an_error(tmp_path: Path) -> None:
    missing = str(tmp_path / "not" / "here")
    with pytest.raises(FileNotFoundError, match="no folder '.*here', and it is no model id"):
        DF2NetPipeline.from_pretrained(missing)


def test_a_misspelt_key_in_a_stage_config_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    DF2NetPipeline.from_pretrained(tiny_folder).save_pretrained(tmp_path)
    path = tmp_path / "fine" / "config.json"
    config = json.loads(path.read_text())
    config["widht"] = config.pop("width")
    path.write_text(json.dumps(config))
    with pytest.raises(ValueError, match="unknown config key 'widht'"):
        DF2NetPipeline.from_pretrained(tmp_path)


def test_weights_cut_in_half_are_an_error_that_names_the_file(
    tiny_folder: Path, tmp_path: Path
) -> None:
    DF2NetPipeline.from_pretrained(tiny_folder).save_pretrained(tmp_path)
    path = tmp_path / "finer" / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"finer/model\.safetensors is damaged"):
        DF2NetPipeline.from_pretrained(tmp_path)


@pytest.mark.skipif(not BUNDLED_WEIGHTS.is_dir(), reason="the bundled weights are not there")
def test_the_bundled_weights_reconstruct_the_astronaut() -> None:
    pipe = DF2NetPipeline.from_pretrained()
    (face,) = pipe(demo_photo()).faces
    assert 0.2 < face.mask.mean() < 0.5  # a face fills about a third of its crop
    relief_mm = np.ptp(face.depth[face.mask]) * face.mm_per_px
    assert 40 < relief_mm < 150


@pytest.mark.skipif(not BUNDLED_WEIGHTS.is_dir(), reason="the bundled weights are not there")
@pytest.mark.parametrize("roll", [90, 55])
def test_a_head_that_lies_on_its_side_has_the_shape_of_the_upright_one(
    photo: np.ndarray, roll: int
) -> None:
    pipe = DF2NetPipeline.from_pretrained()
    (upright,) = pipe(photo, box=BOX).faces
    middle = (BOX.x + BOX.side / 2 - 0.5, BOX.y + BOX.side / 2 - 0.5)
    matrix = cv2.getRotationMatrix2D(middle, roll, 1)
    rolled = cv2.warpAffine(photo, matrix, (512, 512), flags=cv2.INTER_CUBIC)
    (face,) = pipe(rolled, box=replace(BOX, roll=90.0 if roll == 90 else 0.0)).faces
    both = upright.mask & turned_mask(face.mask, -roll)
    assert both.sum() > 0.9 * upright.mask.sum()
    inner = cv2.erode(both.astype(np.uint8), np.ones((9, 9))) > 0

    def off_px(depth: np.ndarray) -> float:
        off = (turned(depth, -roll) - upright.depth)[inner]
        return np.abs(off - np.median(off)).mean()

    with torch.inference_mode():
        alone = pipe.cascade(pipe.to_tensor(crop_face(rolled, BOX, 512))).finer[0, 0].numpy()
    assert off_px(face.depth) < (0.5 if roll == 90 else 5)
    assert off_px(network_depth_to_px(alone)) > 10
    assert face.mm_per_px == pytest.approx(upright.mm_per_px, rel=0.04)
    np.testing.assert_allclose(np.linalg.norm(face.normals[face.mask], axis=-1), 1, atol=1e-5)


def test_without_a_mask_head_the_detectors_roll_decides(
    tiny_cascade: DF2Net, photo: np.ndarray
) -> None:
    torch.manual_seed(0)
    dense = DNet(DNetConfig(width=4, levels=3, working_size=64, dropout=0.0))
    pipe = DF2NetPipeline(DF2Net(dense=dense, fine=tiny_cascade.fine, finer=tiny_cascade.finer))
    assert pipe.look(photo, BOX).roll == 0
    assert pipe.look(photo, replace(BOX, roll=-90.0)).roll == -90


def test_without_bundled_weights_the_error_says_what_to_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("df2net_hub.pipelines.df2net.BUNDLED_WEIGHTS", tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match='from_pretrained\\("owner/name"\\)'):
        DF2NetPipeline.from_pretrained()
