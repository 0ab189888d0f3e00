"""The paper's third kind of training data (Sec. 3.2): photos rich in detail, without depth.

Of each photo the largest face is taken, if it is large, sharp, rich in detail and not turned too
far. The paper takes 5K faces of CACD and of the internet; how it chose them is not said.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

import cv2
import numpy as np
import torch

from df2net_hub.face_pose import FacePose, face_pose
from df2net_hub.faces import CROP_SCALE, FaceBox, crop_face, get_detector, inside_photo
from df2net_hub.geometry import CROP_SIZE, mm_per_px_from_face, network_depth_to_px
from df2net_hub.pairs import encode_row
from df2net_hub.photo_albedo import AlbedoMaker, open_albedo
from df2net_hub.photo_scores import detail_score, sharpness_score
from df2net_hub.photo_source import NamedPhoto, PhotoSource
from df2net_hub.photos import PhotoError
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.pipelines.face_mask import MOST_DOUBT, face_mask, is_well_placed, mask_doubt
from df2net_hub.set_manifest import weights_mark
from df2net_hub.shards import Row

logger = logging.getLogger(__name__)
MOST_UNKNOWN = 0.02  # share of the face that albedo of others may leave black


@dataclass(frozen=True)
class PhotoLimits:
    """What a photo must have; docs/photos.md shows how the defaults were found."""

    min_face: float = 120  # side of the detector's box in the photo [px]
    max_yaw: float = 40  # [deg] to either side
    max_pitch: float = 25  # [deg] up or down
    min_sharpness: float = 0.45  # see `sharpness_score`
    min_detail: float = 3.0  # see `detail_score`

    def refusal(self, box: FaceBox, pose: FacePose, sharpness: float, detail: float) -> str | None:
        """Why a face is refused; None if it is not."""
        if box.side / CROP_SCALE < self.min_face:
            return f"face smaller than {self.min_face:g} px"
        if abs(pose.yaw) > self.max_yaw or abs(pose.pitch) > self.max_pitch:
            return f"turned beyond {self.max_yaw:g} deg yaw or {self.max_pitch:g} deg pitch"
        if sharpness < self.min_sharpness:
            return f"sharpness below {self.min_sharpness:g}"
        if detail < self.min_detail:
            return f"detail below {self.min_detail:g}"
        return None


@dataclass(frozen=True)
class FinePhotos:
    """The maker of fine rows: one photo, at most one row.

    Attributes:
        source: where the photos are.
        albedo: see `photo_albedo.open_albedo`.
        limits: what is kept.
        size: side of the pictures [px].
        detector: name of the face detector.
    """

    source: PhotoSource
    albedo: str = "albedonet"
    limits: PhotoLimits = field(default_factory=PhotoLimits)
    size: int = CROP_SIZE
    detector: str = "dlib"

    def recipe(self) -> dict[str, Any]:
        """What defines the set, for its manifest: the photos by their names, and how they pass."""
        names = "\n".join([self.source.column, *self.source.files])
        kind, _, place = self.albedo.partition(":")
        weights = {"albedo_weights": weights_mark(place)} if place and kind == "albedonet" else {}
        return {
            "source": "fine",
            "photos": self.source.count,
            "names": sha256(names.encode()).hexdigest()[:16],
            "albedo": kind,
            **weights,
            "size": self.size,
            "detector": self.detector,
            **asdict(self.limits),
        }

    def check(self) -> None:
        """Load what `open` loads of the caller's choice: wrong names are told before any work.

        Raises:
            LookupError: no such detector.
            ValueError: no such kind of albedo, or a folder without it.
            FileNotFoundError: no such folder.
        """
        get_detector(self.detector)
        open_albedo(self.albedo)

    def open(self) -> Callable[[int], Row | str]:
        """Load the networks and the list of photos."""
        pipe = DF2NetPipeline.from_pretrained()
        albedo, photos = open_albedo(self.albedo), self.source.open()

        def make(index: int) -> Row | str:
            try:
                return self._row(pipe, albedo, photos(index))
            except PhotoError as error:  # names the photo
                logger.warning("%s", error)
                return "unreadable or tiny picture"

        return make

    def _row(self, pipe: DF2NetPipeline, albedo: AlbedoMaker, photo: NamedPhoto) -> Row | str:
        # 1. find the largest face
        boxes = get_detector(self.detector)(photo.pixels)
        if not boxes:
            return "no face found"
        box = boxes[0]
        if box.roll:
            return "photo lies on its side or upside down"

        # 2. crop it, see its mask and depth
        crop = crop_face(photo.pixels, box, CROP_SIZE)  # (512,512,3) uint8
        depth, whole = _see(pipe, crop)  # (512,512) each
        height, width = photo.pixels.shape[:2]
        mask = whole & inside_photo(box, (width, height), CROP_SIZE)  # beyond are streaks, no skin
        if not mask.any():
            return "no face found"

        # 3. how it is turned, how sharp and rich it is
        pose = face_pose(depth, whole)
        sharpness, detail = sharpness_score(crop, mask), detail_score(crop, mask)
        refusal = self.limits.refusal(box, pose, sharpness, detail)
        if refusal:
            return refusal

        # 4. albedo
        made = albedo(photo.name, photo.pixels, box, crop)
        if isinstance(made, str):
            return made
        if made is not None and (made.max(-1)[mask] == 0).mean() > MOST_UNKNOWN:
            return "albedo leaves parts of the face black"

        # 5. the row
        return encode_row(
            id=photo.name,
            source="fine",
            image=_at(crop, self.size),
            mask=_at(mask.astype(np.float32), self.size) > 0.5,
            albedo=None if made is None else _at(made, self.size),
            camera={
                **asdict(pose),
                "mm_per_px": mm_per_px_from_face(network_depth_to_px(depth), whole),
            },
            scores={"detail": detail, "sharpness": sharpness},
        )


@torch.inference_mode()
def _see(pipe: DF2NetPipeline, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dense network depth and mask (512,512) of a crop; an empty mask where D-Net is in doubt."""
    dense, logits = pipe.cascade.see(pipe.to_tensor(crop))
    depth = dense[0, 0].cpu().numpy()
    seen = None if logits is None else logits[0, 0].cpu().numpy()
    mask = face_mask(depth, seen)
    doubtful = seen is not None and mask_doubt(seen) > MOST_DOUBT
    if doubtful or not mask.any() or not is_well_placed(mask):
        mask = np.zeros_like(mask)
    return depth, mask


def _at(picture: np.ndarray, size: int) -> np.ndarray:
    if len(picture) == size:
        return picture
    shrinks = size < len(picture)
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(picture, (size, size), interpolation=how)
