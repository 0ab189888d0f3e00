"""Self-training: photos that our own pipeline reconstructs well become pairs.

The second of the paper's kinds of data (Sec. 3.2), with the pipeline in the place of the methods
that the paper used. What it is not sure of is rejected, see `teacher_checks`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch

from df2net_hub.faces import CROP_SCALE, FaceBox, crop_face
from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX, network_depth_to_px
from df2net_hub.pairs import encode_row
from df2net_hub.photos import PhotoError, load_photo
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.result import Face
from df2net_hub.synthesis.appearance import procedural_assets, read_panoramas
from df2net_hub.teacher_checks import Seen, TeacherLimits, first_failed, measures
from df2net_hub.turned_photos import Scene, cropped, turned_photo

Row = dict[str, Any]
LEAST_SHOWN = 0.1  # of a turned photo's crop that is face; photos as they are have 0.25 and more
# Shift right, shift down (of the crop's side) and zoom of the crops that must agree with the first.
JITTERS = ((0.04, 0.0, 1.0), (0.0, 0.04, 1.0), (0.0, 0.0, 1.08))


Judged = tuple[np.ndarray, Face, float]  # a photo, its face, and how far its mirror image is off


@dataclass(frozen=True)
class TaughtPairs:
    """Makes pairs of photos, for `shards.write_set`; plain values, so that it travels.

    Input `index` is photo index // (1 + turns): as it is if the remainder is 0, otherwise seen from
    another side in another light, see `turned_photos`.

    Attributes:
        photos: paths, and `names` of the samples.
        model: pipeline folder or hub id; None is the bundled one.
        detector, device: see `DF2NetPipeline`.
        size: side of the pictures [px].
        limits: what a reconstruction must keep to.
        turns: how often each photo is turned and lit anew.
        assets: folder with panoramas (docs/assets.md) to light turned photos by; None: plain skies.
        seed: of turns and lights.
    """

    photos: tuple[str, ...]
    names: tuple[str, ...]
    model: str | None = None
    detector: str = "dlib"
    device: str = "cpu"
    size: int = CROP_SIZE
    limits: TeacherLimits = TeacherLimits()
    turns: int = 0
    assets: str | None = None
    seed: int = 0

    def open(self) -> Callable[[int], Row | str]:
        """Load the teacher; the callable makes a row, or says why there is none."""
        torch.set_num_threads(1)  # of many processes; they share the cores
        pipe = DF2NetPipeline.from_pretrained(self.model).to(self.device)
        if pipe.cascade.see(torch.zeros(1, 3, CROP_SIZE, CROP_SIZE, device=pipe.device))[1] is None:
            raise ValueError(
                "a teacher needs a dense network with a mask head; this one cannot say what is face"
            )
        panoramas = load_panoramas(self.assets)

        @lru_cache(maxsize=1)  # a photo's turns follow it
        @torch.inference_mode()
        def judged(number: int) -> Judged | str:
            return self._judge(pipe, number)

        def make(index: int) -> Row | str:
            number, turn = divmod(index, 1 + self.turns)
            found = judged(number)
            if isinstance(found, str):
                return found
            photo, face, flip_px = found
            if turn == 0:
                return taught_row(self.names[number], photo, face, flip_px, self.size)
            rng = np.random.default_rng((self.seed, number, turn))
            seen = turned_photo(photo, face, self.size, rng, panoramas)
            boxes = pipe.find_faces(seen.picture, self.detector)
            if len(boxes) != 1:
                return "turned: several faces" if boxes else "turned: no face found"
            name = f"{self.names[number]}-turned{turn}"
            return turned_row(name, cropped(seen, boxes[0], self.size), flip_px)

        return make

    def _judge(self, pipe: DF2NetPipeline, number: int) -> Judged | str:
        try:
            photo = load_photo(self.photos[number])
        except PhotoError:
            return "photo that cannot be read"
        boxes = pipe.find_faces(photo, self.detector)
        if len(boxes) != 1:
            return "several faces" if boxes else "no face found"
        if boxes[0].roll:
            return "photo lies on its side or upside down"
        try:
            taught = teach(pipe, photo, boxes[0], self.limits.most_jitter_px > 0)
        except ValueError:  # of crop_face: a detector's box that misses the photo
            return "no face found"
        if taught is None:
            return "no face in the mask"
        measured = measures(taught[1])
        reason = first_failed(measured, self.limits)
        return reason or (photo, taught[0], measured["flip_px"])


def load_panoramas(assets: str | None) -> np.ndarray:
    """(N,h,w,3) linear radiance of an assets folder; of plain skies without one.

    Raises:
        FileNotFoundError: the folder has no light.
    """
    return procedural_assets().panoramas if assets is None else read_panoramas(assets)


@torch.inference_mode()
def teach(
    pipe: DF2NetPipeline, photo: np.ndarray, box: FaceBox, jitter: bool = False
) -> tuple[Face, Seen] | None:
    """The face in `box` of a photo (H,W,3) uint8, and all that its checks need; None without mask.

    Raises:
        ValueError: the box misses the photo.
    """
    crop = crop_face(photo, box, CROP_SIZE)
    tensor = pipe.to_tensor(crop)
    stages = pipe.cascade(tensor)
    face = pipe.to_face(stages, crop, box, (photo.shape[1], photo.shape[0]))
    if not face.mask.any():
        return None
    assert stages.mask_logits is not None

    def dense(image: torch.Tensor) -> np.ndarray:
        depth = pipe.cascade.dense(image)[:, :1]
        return network_depth_to_px(depth)[0, 0].cpu().numpy()

    others = []
    for right, down, zoom in JITTERS if jitter else ():
        side = box.side * zoom
        x = box.x + right * box.side + (box.side - side) / 2
        y = box.y + down * box.side + (box.side - side) / 2
        moved = FaceBox(x, y, side, box.score, box.found_by)
        height = dense(pipe.to_tensor(crop_face(photo, moved, CROP_SIZE)))
        others.append(bring_back(height, moved, box))
    seen = Seen(
        height=face.depth,
        mask=face.mask,
        face_share=torch.sigmoid(stages.mask_logits)[0, 0].cpu().numpy(),
        dense=dense(tensor),
        mirrored=np.ascontiguousarray(dense(tensor.flip(-1))[:, ::-1]),
        jittered=tuple(others),
        face_px=box.side / CROP_SCALE,
    )
    return face, seen


def bring_back(height: np.ndarray, moved: FaceBox, box: FaceBox) -> np.ndarray:
    """Height (S,S) [px] over the crop `moved` as over the crop `box`; NaN outside `moved`."""
    size = len(height)
    grid = (np.arange(size, dtype=np.float32) + 0.5) / size * box.side
    columns = (grid + box.x - moved.x) * size / moved.side - 0.5
    rows = (grid + box.y - moved.y) * size / moved.side - 0.5
    map_x, map_y = np.meshgrid(columns, rows)
    scaled = height.astype(np.float32) * (moved.side / box.side)
    return cv2.remap(
        scaled,
        map_x.astype(np.float32),
        map_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float("nan"),
    )


def taught_row(name: str, photo: np.ndarray, face: Face, flip_px: float, size: int) -> Row:
    """A face that passed as a row of `pairs`, `size` pixels wide."""
    mask, height, normals = face.mask, face.depth, face.normals
    if size != CROP_SIZE:
        share = _smaller(mask.astype(np.float32), size)
        height = _smaller(np.where(mask, height, 0), size) / np.maximum(share, 1e-6)
        normals = _smaller(np.where(mask[..., None], normals, 0), size)
        mask = share > 0.5
    relief = np.where(mask, height - height[mask].mean(dtype=np.float64), np.nan)
    with np.errstate(invalid="ignore"):
        unit = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    return encode_row(
        id=name,
        source="reconstructed",
        image=crop_face(photo, face.box, size),
        mask=mask,
        depth=(relief / DEPTH_UNIT_PX).astype(np.float32),
        normals=np.where(mask[..., None], unit, np.nan),
        camera={"mm_per_px": face.mm_per_px},
        scores={"flip_px": flip_px},
    )


def turned_row(name: str, seen: Scene, flip_px: float) -> Row | str:
    """A turned photo, cropped to what a detector found in it, as a row, or why it cannot be one."""
    if seen.mask.mean() < LEAST_SHOWN:
        return "turned: something else taken for the face"
    relief = seen.height - seen.height[seen.mask].mean(dtype=np.float64)
    px_per_crop_px = len(seen.mask) / CROP_SIZE
    return encode_row(
        id=name,
        source="reconstructed",
        image=seen.picture,
        mask=seen.mask,
        depth=(relief / px_per_crop_px / DEPTH_UNIT_PX).astype(np.float32),
        normals=np.where(seen.mask[..., None], seen.normals, np.nan),
        scores={"flip_px": flip_px},
    )


def _smaller(picture: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(picture.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
