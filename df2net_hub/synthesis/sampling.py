"""Draw everything that varies between training pictures: identity, expression, pose, light, looks.

One `HeadSampler` holds what is the same for all pictures; `pair(seed, index)` depends on nothing
else.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX, rotation
from df2net_hub.pairs import MAX_RELIEF_PX
from df2net_hub.synthesis.appearance import Assets, head_fields, load_assets, procedural_assets
from df2net_hub.synthesis.asset_folder import head_path, sculpted_path
from df2net_hub.synthesis.backdrop import backdrop
from df2net_hub.synthesis.beard import beard
from df2net_hub.synthesis.camera import photograph, to_srgb
from df2net_hub.synthesis.cavities import sample_cavities
from df2net_hub.synthesis.expressions import Expression, neutral, sample_expression
from df2net_hub.synthesis.eyes import before_lids, behind_lids, shut_lids
from df2net_hub.synthesis.face_map import face_map
from df2net_hub.synthesis.forms import random_forms
from df2net_hub.synthesis.glasses import glasses
from df2net_hub.synthesis.hair import Occluder, hair
from df2net_hub.synthesis.lashes import lashes
from df2net_hub.synthesis.lids import BARE_LIDS, sample_lids
from df2net_hub.synthesis.light import sample_light
from df2net_hub.synthesis.lips import rolled_in
from df2net_hub.synthesis.morphable import MorphableModel, load_morphable
from df2net_hub.synthesis.occluders import collar, sample_in_front
from df2net_hub.synthesis.overlay import overlay_kit
from df2net_hub.synthesis.person import Person, sample_person
from df2net_hub.synthesis.plain_photo import plain_photo
from df2net_hub.synthesis.procedural import procedural_head, procedural_sculpted
from df2net_hub.synthesis.raster import vertex_normals
from df2net_hub.synthesis.recipe import SynthesisRecipe
from df2net_hub.synthesis.render import Scene, render
from df2net_hub.synthesis.sculpted import SculptedHeads, load_sculpted, placed
from df2net_hub.synthesis.skin import photo_skins, skin_library
from df2net_hub.synthesis.streams import Streams
from df2net_hub.synthesis.wrinkles import WrinkleKit, wrinkle_kit

# Small photos are rendered larger and brought down; large ones show no stairs anyway.
SUPERSAMPLE = 1.5
LARGE_PX = 400
OURS = SynthesisRecipe()
GLASSES_SHARE = 0.17
# Light lashes, and those of soft or small pictures, cannot be seen: lids have to be known without.
LASHES_SHARE = 0.65
# Where dlib's HOG box sits on a head, fitted to 208 detections on 220 renders: its side, how far
# its center lies below the eyes, and how far it moves with the sine of yaw and pitch [cm].
BOX_SIDE_CM = 16.0
BOX_BELOW_EYES_CM = 2.9
BOX_SHIFT_CM = np.array([4.1, 5.1])
# How far forward faces come per length upward, mean and deviation. Beside a scan and 21 avatars of
# another making, chins of the morphable model's heads stand back by 0.09 of their height below the
# eyes: networks that knew no others tilted every other face by 5 deg (docs/experiments.md). The
# deviation is beside that of the heads themselves (0.02 to 0.03) and no larger: what heads do not
# do, networks can only learn to be unsure of.
LEAN = (-0.09, 0.02)
# Odds of a person of the morphable model, of one between it and a sculpted head, of the latter.
SCULPTED_ODDS = (0.35, 0.45, 0.2)


@dataclass(frozen=True)
class Pair:
    """One training pair at S x S.

    Attributes:
        image: (S,S,3) uint8 sRGB.
        depth: (S,S) float32 network depth (mean over the mask at 0), NaN off the face.
        mask: (S,S) bool.
        albedo: (S,S,3) uint8 sRGB.
        normals: (S,S,3) float32 unit, x right, y up, z toward the camera, NaN off the face.
        light: (3,9) float32 harmonics of the panorama part of the light.
        landmarks: (68,2) float32 [px].
        yaw, pitch: [deg].
        mm_per_px: length of one pixel of a 512 crop.
        identity: the same for all pictures of one person.
        roll: [deg]. distance_mm: of the lens, None for weak perspective.
        traits: age (0 young to 1 old), skin (names of the textures mixed), mood (kind of
            expression).
    """

    image: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    albedo: np.ndarray
    normals: np.ndarray
    light: np.ndarray
    landmarks: np.ndarray
    yaw: float
    pitch: float
    mm_per_px: float
    identity: str
    roll: float
    distance_mm: float | None
    traits: dict[str, float | str | None]


class HeadSampler:
    """Random heads from a morphable model and assets.

    Args:
        model: the head. assets: skins, light, backgrounds.
        recipe: the protocol, and what to leave out.
        sculpted: heads of another making, or None.
    """

    def __init__(
        self,
        model: MorphableModel,
        assets: Assets,
        recipe: SynthesisRecipe = OURS,
        sculpted: SculptedHeads | None = None,
    ) -> None:
        self.model, self.assets, self.recipe, self.sculpted = model, assets, recipe, sculpted
        self.fields = head_fields(model)
        self.face = face_map(model)
        self.library = skin_library(assets.skins, assets.skin_names, self.face)
        self.photos = photo_skins(
            assets.photo_skins, assets.photo_skin_names, assets.photo_creases, self.face
        )
        self.overlay_kit = overlay_kit(model, self.fields, self.face, assets.noise)
        self.wrinkles: WrinkleKit = wrinkle_kit(self.face, assets.noise)
        self.eyes_at_rest = before_lids(model, model.vertices)

    @classmethod
    def from_folder(
        cls, folder: str | Path, size: int, recipe: SynthesisRecipe = OURS
    ) -> "HeadSampler":
        """Read the head and the assets of `folder` (docs/assets.md), for pairs of `size`."""
        model = load_morphable(head_path(folder))
        height = 1024 if size > 300 else 512
        assets = load_assets(folder, height, model.colors is not None)
        others = sculpted_path(folder)
        sculpted = load_sculpted(others, model) if others.is_file() else None
        return cls(model, assets, recipe, sculpted)

    @classmethod
    def procedural(cls, recipe: SynthesisRecipe = OURS) -> "HeadSampler":
        """A small head from formulas: needs no data, for tests and smoke runs."""
        head = procedural_head()
        return cls(head, procedural_assets(), recipe, procedural_sculpted(head))

    def pair(self, seed: int, index: int, size: int) -> Pair:
        """Pair `index` of set `seed` at `size` x `size`; the same whenever it is made."""
        shape = self.recipe.shape_of(index)
        streams = Streams(seed, shape, index)
        person = sample_person(
            streams, self.recipe, self.library, self.photos, self.overlay_kit, self.face
        )
        while True:
            scene, mood, pose = self._scene(streams, person)
            finer = SUPERSAMPLE if size < LARGE_PX else 1.0
            made = render(self.model, self.fields, scene, self.assets.noise, size, finer)
            middle = made.depth_px[made.mask].mean() if made.mask.any() else 0
            depth = (made.depth_px - middle) * np.float32(CROP_SIZE / size)
            depth[np.abs(depth) >= MAX_RELIEF_PX] = np.nan
            # Else hair covers nearly all of the face, or its relief is beyond what a pair can hold.
            if made.mask.mean() > 0.04 and np.isfinite(depth[made.mask]).all():
                break
            streams = replace(streams, attempt=streams.attempt + 1)
        behind = backdrop(streams.picture("background"), self.assets, size)
        if not self.recipe.has("backgrounds"):
            behind = np.full_like(behind, 0.2)
        if self.recipe.has("camera"):
            image = photograph(streams.picture("camera"), made, behind)
        else:
            image = plain_photo(made, behind)
        yaw, pitch, roll = (float(angle) for angle in np.degrees(pose))
        return Pair(
            image=image,
            depth=depth / DEPTH_UNIT_PX,
            mask=made.mask,
            albedo=to_srgb(made.albedo),
            normals=made.normals,
            light=scene.light.sh,
            landmarks=made.landmarks,
            yaw=yaw,
            pitch=pitch,
            mm_per_px=10 * scene.side / CROP_SIZE,
            identity=f"{seed}-{shape:07d}",
            roll=roll,
            distance_mm=10 * scene.distance if np.isfinite(scene.distance) else None,
            traits={"age": person.age, "skin": person.skin, "mood": mood},
        )

    def _scene(self, streams: Streams, person: Person) -> tuple[Scene, str, np.ndarray]:
        recipe = self.recipe
        expression = sample_expression(streams.person("expression"), self.model)
        if not recipe.has("expressions"):
            expression = neutral(self.model)
        shape, stretch = self._shape(streams, expression, person)
        pose = sample_pose(streams.picture("pose"))
        turn = rotation(*pose)
        landmarks = shape[self.model.landmarks68]
        eyes = landmarks[36:48].mean(0)
        anchor = turn @ (eyes * [1, 1, 0.6] - [0, BOX_BELOW_EYES_CM * stretch[1], 0])
        rng = streams.picture("crop")
        wide = (landmarks[45, 0] - landmarks[36, 0]) / 9.0
        side = 1.6 * BOX_SIDE_CM * np.exp(rng.normal(0, 0.11)) * wide
        shift = rng.normal(0, 0.03, 2) * side + BOX_SHIFT_CM * np.sin(pose[:2])
        # A lens at 0.5 m makes noses large; half of the pictures are taken from afar.
        near = rng.random() < 0.5
        distance = float(np.exp(rng.uniform(np.log(50), np.log(200))))
        light = sample_light(streams.picture("light"), self.assets.panoramas)
        if not recipe.has("lamps"):
            light = replace(light, directions=light.directions[:0], colors=light.colors[:0])
        if not recipe.has("eyes"):
            light = replace(light, catchlight=None)
        gaze = sample_gaze(streams.picture("gaze"), pose)
        lids = sample_lids(streams.person("lids"), person.made_up)
        gloss = float(np.exp(streams.picture("gloss").normal(-0.3, 0.6)))
        wrinkles, lines = self.wrinkles.sample(streams.person("wrinkles"), person.age, expression)
        cavities = sample_cavities(
            streams.person("cavities"), lines, person.creases, self.face.texel_cm
        )
        if person.creases is not None:
            wrinkles -= person.creases
        wrinkled = recipe.has("wrinkles")
        scene = Scene(
            shape=shape,
            rotation=turn,
            center=anchor[:2] + shift,
            side=float(side),
            distance=distance if near and recipe.has("perspective") else float("inf"),
            look=replace(
                person.look,
                gaze=gaze if recipe.has("eyes") else 0 * gaze,
                vertex_colors=self._vertex_colors(streams),
            ),
            light=light,
            wrinkles=wrinkles if wrinkled else 0 * wrinkles,
            cavities=cavities if wrinkled and recipe.has("cavities") else np.ones_like(cavities),
            occluders=self._occluders(streams, shape, person),
            gloss=gloss if recipe.has("gloss") else 0.0,
            lids=lids if recipe.has("eyes") else BARE_LIDS,
            shadows=recipe.has("shadows"),
        )
        return scene, expression.mood, pose

    def _shape(
        self, streams: Streams, expression: Expression, person: Person
    ) -> tuple[np.ndarray, np.ndarray]:
        """(V,3) vertices [cm] and the stretch (3,) beyond the model's own range of heads."""
        rng = streams.person("identity")
        identity = rng.standard_normal(len(self.model.identity))
        wilder = rng.choice([0.8, 1.0, 1.2])
        stretching = streams.person("stretch")
        stretch = 1 + stretching.normal(0, [0.035, 0.045, 0.04])
        lean = stretching.normal(*LEAN)
        if not self.recipe.has("stretch"):
            wilder, stretch, lean = 1.0, np.ones(3), 0.0
        weights = rolled_in(expression.weights, self.model.expression_names, person.lips)
        shape = self.model.shape(identity * wilder, weights)
        shape += self._sculpting(streams.person("sculpted"), identity * wilder, person)
        if self.recipe.has("forms"):
            shape += random_forms(streams.person("forms"), shape)
        if expression.shut == 1:
            shape += shut_lids(self.model, shape)
        shape *= stretch
        eyes = shape[self.model.landmarks68][36:48].mean(0)
        shape[:, 2] += lean * (shape[:, 1] - eyes[1])
        return behind_lids(self.model, shape.astype(np.float32), self.eyes_at_rest), stretch

    def _sculpting(
        self, rng: np.random.Generator, identity: np.ndarray, person: Person
    ) -> np.ndarray | float:
        """(V,3) way from the morphable model's person to a sculpted one, all of it or a part."""
        share = rng.choice([0.0, rng.random(), 1.0], p=SCULPTED_ODDS)
        if self.sculpted is None or share == 0 or not self.recipe.has("sculpted"):
            return 0.0
        model = self.model
        other = self.sculpted.shape(rng, person.age, person.masculine)
        still = np.zeros(len(model.expression))
        way = placed(other, model.vertices, model.landmarks68) - model.shape(identity, still)
        return np.asarray(np.float32(share) * way)

    def _vertex_colors(self, streams: Streams) -> np.ndarray | None:
        """(V,3) linear skin color drawn from the head's own colors, None if it has none."""
        if self.model.colors is None:
            return None
        colors = self.model.colors
        if self.model.color_modes is not None:
            rng = streams.person("vertex colors")
            weights = rng.standard_normal(len(self.model.color_modes)).clip(-2.5, 2.5)
            colors = colors + np.tensordot(weights, self.model.color_modes, 1)
        return np.clip(colors, 0.005, 0.95).astype(np.float32)

    def _occluders(
        self, streams: Streams, shape: np.ndarray, person: Person
    ) -> list[tuple[Occluder, np.ndarray]]:
        """All surfaces around the head and their linear colors."""
        model, recipe, look = self.model, self.recipe, person.look
        landmarks = shape[model.landmarks68]
        normals = vertex_normals(shape, model.triangles)
        found: list[tuple[Occluder, np.ndarray]] = []
        kind, in_front = sample_in_front(streams.picture("in front"), shape, landmarks, person.tone)
        if not recipe.has("occluders"):
            kind, in_front = "", []
        if recipe.has("hair"):
            grown = hair(
                streams.person("hair"), model, self.fields, shape, normals,
                person.hair_style if kind != "cap" else "short", person.receding, self.assets.noise,
                streams.person("curtains") if recipe.has("curtains") else None,
            )  # fmt: skip
            if kind != "head_scarf":
                found += [(part, look.hair_color) for part in grown]
        found += [
            (part, person.face_hair.color)
            for part in beard(
                streams.person("beard"), model, self.fields, shape, normals, person.face_hair
            )
        ]
        found += in_front
        if recipe.has("occluders"):
            rng = streams.person("collar")
            found += collar(
                rng, model, self.fields, shape, normals, look.neckline, look.cloth_color
            )
        if recipe.has("eyes"):
            rng, dark = streams.person("lashes"), np.minimum(person.face_hair.color, 0.05) * 0.5
            drawn = lashes(rng, landmarks, person.made_up)
            if rng.random() < LASHES_SHARE:
                found.append((drawn, dark))
        rng = streams.person("glasses")
        if rng.random() < GLASSES_SHARE and recipe.has("glasses"):
            found += glasses(rng, landmarks)
        return found


def sample_pose(rng: np.random.Generator) -> np.ndarray:
    """(3,) yaw, pitch, roll [rad]: most portraits look within 30 degrees of the lens."""
    yaw = rng.choice(
        [rng.normal(0, 9), rng.normal(0, 22), rng.uniform(-62, 62)], p=[0.4, 0.42, 0.18]
    )
    pitch, roll = rng.normal(0, [8, 6])
    return np.radians(np.clip([yaw, pitch, roll], [-62, -28, -25], [62, 28, 25]))


def sample_gaze(rng: np.random.Generator, pose: np.ndarray) -> np.ndarray:
    """(2,) gaze to the side and up in the head's frame [rad]: into the lens, or anywhere near."""
    into_lens = np.clip([-pose[0], -pose[1]], [-0.45, -0.25], [0.45, 0.25])
    share = rng.choice([1.0, rng.random(), 0.0], p=[0.6, 0.2, 0.2])
    return (share * into_lens + rng.normal(0, [0.05, 0.03])).astype(np.float32)
