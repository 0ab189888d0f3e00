"""Draw everything that varies between training pictures: identity, expression, pose, light, looks.

One `HeadSampler` holds what is the same for all pictures; `pair(seed, index)` depends on nothing
else.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.pairs import MAX_RELIEF_PX
from df2net_hub.synthesis.appearance import (
    HAIR_COLORS,
    Assets,
    Look,
    head_fields,
    load_assets,
    procedural_assets,
    sample_look,
    to_linear,
)
from df2net_hub.synthesis.asset_folder import head_path
from df2net_hub.synthesis.camera import background, photograph
from df2net_hub.synthesis.hair import Occluder, glasses, hair_curtain, hair_shell
from df2net_hub.synthesis.light import sample_light
from df2net_hub.synthesis.morphable import MorphableModel, load_morphable
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.raster import vertex_normals
from df2net_hub.synthesis.render import Scene, render
from df2net_hub.synthesis.wrinkles import sample_wrinkle_weights, wrinkle_maps

WRINKLE_VARIANTS = 12
# Small photos are rendered larger and brought down; large ones show no stairs anyway.
SUPERSAMPLE = 1.5
LARGE_PX = 400
# Where dlib's HOG box sits on a head, fitted to 208 detections on 220 renders: its side, how far
# its center lies below the eyes, and how far it moves with the sine of yaw and pitch [cm].
BOX_SIDE_CM = 16.0
BOX_BELOW_EYES_CM = 2.9
BOX_SHIFT_CM = np.array([4.1, 5.1])


@dataclass(frozen=True)
class Pair:
    """One training pair at S x S.

    Attributes:
        image: (S,S,3) uint8 sRGB.
        depth: (S,S) float32 network depth (mean over the mask at 0), NaN off the face.
        mask: (S,S) bool.
        albedo: (S,S,3) uint8 sRGB.
        light: (3,9) float32 harmonics of the panorama part of the light.
        landmarks: (68,2) float32 [px].
        yaw, pitch: [deg].
        mm_per_px: length of one pixel of a 512 crop.
    """

    image: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    albedo: np.ndarray
    light: np.ndarray
    landmarks: np.ndarray
    yaw: float
    pitch: float
    mm_per_px: float


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """(3,3) head to camera; yaw turns the nose to the picture's right, pitch raises it [rad]."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ nod @ turn


class HeadSampler:
    """Random heads from a morphable model and assets.

    Args:
        model: the head. assets: skins, light, backgrounds.
    """

    def __init__(self, model: MorphableModel, assets: Assets) -> None:
        self.model, self.assets = model, assets
        self.fields = head_fields(model)
        rng = np.random.default_rng(7)
        variants = [wrinkle_maps(model, assets.noise, rng) for _ in range(WRINKLE_VARIANTS)]
        self.wrinkles = np.stack(variants)

    @classmethod
    def from_folder(cls, folder: str | Path, size: int) -> "HeadSampler":
        """Read the head and the assets of `folder` (docs/assets.md), for pairs of `size`."""
        model = load_morphable(head_path(folder))
        return cls(model, load_assets(folder, skin_height=1024 if size > 300 else 512))

    @classmethod
    def procedural(cls) -> "HeadSampler":
        """A small head from formulas: needs no data, for tests and smoke runs."""
        return cls(procedural_head(), procedural_assets())

    def pair(self, seed: int, index: int, size: int) -> Pair:
        """Pair `index` of set `seed` at `size` x `size`; the same whenever it is made."""
        rng = np.random.default_rng([seed, index])
        while True:
            scene, yaw, pitch = self._scene(rng)
            finer = SUPERSAMPLE if size < LARGE_PX else 1.0
            made = render(self.model, self.fields, scene, self.assets.noise, size, finer)
            middle = made.depth_px[made.mask].mean() if made.mask.any() else 0
            depth = (made.depth_px - middle) * np.float32(CROP_SIZE / size)
            depth[np.abs(depth) >= MAX_RELIEF_PX] = np.nan
            # Else hair covers nearly all of the face, or its relief is beyond what a pair can hold.
            if made.mask.mean() > 0.04 and np.isfinite(depth[made.mask]).all():
                break
        image = photograph(rng, made, background(rng, self.assets, size))
        albedo = np.clip(made.albedo, 0, 1) ** (1 / 2.2) * 255 + 0.5
        return Pair(
            image=image,
            depth=depth / DEPTH_UNIT_PX,
            mask=made.mask,
            albedo=albedo.astype(np.uint8),
            light=scene.light.sh,
            landmarks=made.landmarks,
            yaw=yaw,
            pitch=pitch,
            mm_per_px=10 * scene.side / CROP_SIZE,
        )

    def _scene(self, rng: np.random.Generator) -> tuple[Scene, float, float]:
        model = self.model
        age = rng.random()
        identity = rng.standard_normal(len(model.identity)) * rng.choice([0.8, 1.0, 1.2])
        shape = model.shape(identity, self._expression(rng))
        stretch = 1 + rng.normal(0, [0.035, 0.045, 0.04])  # beyond the model's own range of heads
        shape = (shape * stretch).astype(np.float32)
        yaw, pitch, roll = np.radians(
            np.clip(rng.normal(0, [24, 9, 7]), [-62, -28, -25], [62, 28, 25])
        )
        if rng.random() < 0.3:
            yaw *= 0.2
        turn = rotation(yaw, pitch, roll)
        landmarks = shape[model.landmarks68]
        eyes = landmarks[36:48].mean(0)
        anchor = turn @ (eyes * [1, 1, 0.6] - [0, BOX_BELOW_EYES_CM * stretch[1], 0])
        side = (
            1.6
            * BOX_SIDE_CM
            * np.exp(rng.normal(0, 0.11))
            * (landmarks[45, 0] - landmarks[36, 0])
            / 9.0
        )
        shift = rng.normal(0, 0.03, 2) * side + BOX_SHIFT_CM * np.sin([yaw, pitch])
        look = sample_look(rng, self.assets)
        weights = sample_wrinkle_weights(rng, age)
        wrinkles = np.tensordot(weights, self.wrinkles[rng.integers(WRINKLE_VARIANTS)], 1)
        scene = Scene(
            shape=shape,
            rotation=turn,
            center=anchor[:2] + shift,
            side=float(side),
            distance=float(
                np.inf if rng.random() < 0.5 else np.exp(rng.uniform(np.log(60), np.log(300)))
            ),
            look=look,
            light=sample_light(rng, self.assets.panoramas),
            wrinkles=wrinkles.astype(np.float32),
            occluders=self._occluders(rng, shape, look),
            gloss=float(np.exp(rng.normal(-0.3, 0.6))),
        )
        return scene, float(np.degrees(yaw)), float(np.degrees(pitch))

    def _expression(self, rng: np.random.Generator) -> np.ndarray:
        """Neutral, smiling, talking, or a few muscles at random; left and right mostly together."""
        names = self.model.expression_names
        weights = np.zeros(len(names))
        index = {name: i for i, name in enumerate(names)}

        def set_both(name: str, value: float) -> None:
            for suffix, factor in (
                ("", 1),
                ("_L", rng.uniform(0.8, 1)),
                ("_R", rng.uniform(0.8, 1)),
            ):
                if name + suffix in index:
                    weights[index[name + suffix]] = min(value * factor, 1)

        mood = rng.random()
        if mood < 0.3:  # smile, lips apart or not
            strength = rng.uniform(0.2, 1)
            for name, share in (("mouthSmile", 1), ("cheekSquint", 0.5), ("eyeSquint", 0.4)):
                set_both(name, strength * share)
            set_both("mouthUpperUp", strength * rng.uniform(0, 0.5))
            set_both("mouthLowerDown", strength * rng.uniform(0, 0.6))
            set_both("jawOpen", max(0, rng.normal(0.02, 0.08)))
        elif mood < 0.7:
            bases = sorted(
                {name.removesuffix("_L").removesuffix("_R") for name in names} - {"PupilDilate"}
            )
            few = rng.choice(len(bases), min(len(bases), int(rng.integers(1, 7))), replace=False)
            for name in (bases[index] for index in few):
                set_both(name, rng.uniform(0, 0.8) * (0.6 if name == "jawOpen" else 1))
        if rng.random() < 0.25:
            set_both("eyeBlink", float(rng.choice([rng.uniform(0, 0.5), 1.0], p=[0.6, 0.4])))
        return weights

    def _occluders(
        self, rng: np.random.Generator, shape: np.ndarray, look: Look
    ) -> list[tuple[Occluder, np.ndarray]]:
        found = []
        hair = look.hair_color
        if rng.random() < 0.85:
            normals = vertex_normals(shape, self.model.triangles)
            shell = hair_shell(self.model, self.fields, shape, normals, rng, self.assets.noise)
            found.append((shell, hair))
            if rng.random() < 0.35:
                width = float(np.abs(shape[:, 0][self.model.parts["face_narrow"]]).max()) + 0.8
                found.append((hair_curtain(rng, self.assets.noise, width), hair))
        if rng.random() < 0.15:
            color = to_linear(HAIR_COLORS[rng.integers(8)] * rng.uniform(0.3, 1.2))
            found.append((glasses(shape[self.model.landmarks68], rng), color))
        return found
