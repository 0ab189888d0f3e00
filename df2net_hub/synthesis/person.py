"""One person: skin, hair, eyes and what is painted on the face, drawn together so that it fits."""

from dataclasses import dataclass, replace

import numpy as np

from df2net_hub.synthesis.appearance import (
    HAIR_COLORS,
    IRIS_COLORS,
    NOISE_SIZE,
    Look,
    to_linear,
)
from df2net_hub.synthesis.face_map import FaceMap
from df2net_hub.synthesis.hair import sample_style
from df2net_hub.synthesis.lips import PLAIN_LIPS, Lips, sample_lips
from df2net_hub.synthesis.overlay import BEARD_STYLES, FaceHair, OverlayKit, draw_overlay
from df2net_hub.synthesis.recipe import SynthesisRecipe
from df2net_hub.synthesis.skin import (
    SkinLibrary,
    creases_of,
    plain_skin,
    sample_complexion,
    sample_photo_skin,
)
from df2net_hub.synthesis.streams import Streams

GRAY, WHITE = 6, 7  # of HAIR_COLORS
PHOTO_SHARE = 0.6  # of people with a skin from a photograph, where there are such
LONG_SHARE = 0.12  # of beards
MOUTH = to_linear(np.array([0.42, 0.17, 0.17]))


@dataclass(frozen=True)
class Person:
    """What stays the same in all pictures of somebody.

    Attributes:
        age: 0 young to 1 old. masculine: 0 to 1. made_up: 0 to 1.
        look: colors. tone: (3,) linear color of the skin. skin: names of the textures mixed.
        hair_style: of hair.STYLES. receding: 0 to 1.
        face_hair: brows and beard.
        lips: how thin and how red.
        creases: (TILE,TILE) depth [cm] of the furrows of a skin from a photograph, else None.
    """

    age: float
    masculine: float
    made_up: float
    look: Look
    tone: np.ndarray
    skin: str
    hair_style: str
    receding: float
    face_hair: FaceHair
    lips: Lips
    creases: np.ndarray | None


def sample_person(
    streams: Streams,
    recipe: SynthesisRecipe,
    library: SkinLibrary,
    photos: SkinLibrary,
    kit: OverlayKit,
    face: FaceMap,
) -> Person:
    """Draw one person; what `recipe` leaves out is drawn all the same and then dropped.

    `library` holds painted skins, `photos` those from photographs, maybe none.
    """
    rng = streams.person("person")
    age = float(rng.beta(1.1, 1.1))
    masculine = float(np.clip(rng.normal(rng.choice([0.06, 0.94]), 0.06), 0, 1))
    made_up = float(np.clip(rng.normal(0.45, 0.35), 0, 1)) * (masculine < 0.5)
    complexion = sample_complexion(streams.person("skin"), library, age)
    rng_photo = streams.person("photo skin")
    there = bool(photos.names) and recipe.has("photo_skins")
    photographed = there and rng_photo.random() < PHOTO_SHARE
    if photographed:
        library, complexion = photos, sample_photo_skin(rng_photo, photos, complexion.tone)
    creases = creases_of(rng_photo, photos, complexion) if photographed else None
    dark = float(np.clip(1.2 - complexion.tone.mean() / 0.25, 0, 1))
    hair_color = _hair_color(streams.person("hair color"), age, dark)
    face_hair = _face_hair(
        streams.person("face hair"), recipe, hair_color, complexion.tone, masculine, photographed
    )
    skins = library.skins[complexion.first], library.skins[complexion.second]
    mix, gain, tone = complexion.mix, complexion.gain, complexion.tone
    if not recipe.has("tones"):
        tone = library.tones[complexion.first]
        mix, gain = 0.0, np.ones(3, np.float32)
    if not recipe.has("skins"):
        plain = plain_skin(library.tones[complexion.first])
        skins = plain, plain if mix == 0 else plain_skin(library.tones[complexion.second])
    lips = sample_lips(streams.person("lips"), age, masculine, made_up, photographed)
    if not recipe.has("overlay"):
        lips = replace(lips, painted=0.0)
    lips = lips if recipe.has("lips") else PLAIN_LIPS
    overlay = draw_overlay(
        streams.person("overlay"), kit, face, tone, face_hair, age, made_up, lips,
        marks=recipe.has("overlay"), lid_lines=recipe.has("eyes"),
    )  # fmt: skip
    look = _look(streams, recipe, skins, mix, gain, hair_color, dark, overlay)
    rng = streams.person("hair style")
    return Person(
        age=age,
        masculine=masculine,
        made_up=made_up,
        look=look,
        tone=tone,
        skin=library.names[complexion.first]
        if mix == 0
        else f"{library.names[complexion.first]}+{library.names[complexion.second]}",
        hair_style=sample_style(rng, age, masculine),
        receding=float(np.clip(rng.normal(0.1 + 0.7 * age, 0.3), 0, 1.2) * (0.2 + 0.8 * masculine)),
        face_hair=face_hair,
        lips=lips,
        creases=creases,
    )


def _look(
    streams: Streams,
    recipe: SynthesisRecipe,
    skins: tuple[np.ndarray, np.ndarray],
    mix: float,
    gain: np.ndarray,
    hair_color: np.ndarray,
    dark: float,
    overlay: np.ndarray,
) -> Look:
    """Colors of a person whose skin and hair are drawn: eyes, teeth and cloth to go with them."""
    rng = streams.person("eyes and cloth")
    iris = to_linear(IRIS_COLORS[rng.choice(4, p=_iris_odds(dark))]) * np.exp(
        rng.normal(0, 0.25) + rng.normal(0, 0.06, 3)
    )
    teeth = to_linear(np.array([0.90, 0.86, 0.79]) * rng.uniform(0.78, 1.0))
    return Look(
        skins=skins,
        skin_mix=mix,
        skin_gain=gain,
        blotches=float(abs(rng.normal(0, 0.02))),
        hair_color=hair_color,
        brow_strength=0.0,  # brows and beards are part of the overlay
        brow_width=0.3,
        beard_strength=0.0,
        beard_grain=0.5,
        iris_color=np.clip(iris, 0.002, 0.6) if recipe.has("eyes") else to_linear(IRIS_COLORS[0]),
        gaze=np.zeros(2, np.float32),
        teeth_color=teeth if recipe.has("mouth") else MOUTH,
        cloth_color=_cloth_color(rng),
        neckline=float(rng.uniform(-15.5, -12)),
        noise_offset=rng.uniform(0, NOISE_SIZE, 2).astype(np.float32),
        overlay=overlay,
    )


def _face_hair(
    rng: np.random.Generator,
    recipe: SynthesisRecipe,
    hair_color: np.ndarray,
    tone: np.ndarray,
    masculine: float,
    photographed: bool,
) -> FaceHair:
    """Brows and beard; a skin from a photograph has its own brows and the shadow of its beard."""
    bearded = rng.random() < 0.42 * masculine
    beard_color = hair_color * np.exp(rng.normal(0, 0.15)) * np.array([1.06, 1.0, 0.96])
    face_hair = FaceHair(
        color=np.minimum(beard_color, 0.7).astype(np.float32),
        brow_color=np.minimum(0.5 * beard_color, 0.12 * tone).astype(np.float32),
        brow=float(rng.uniform(0.6, 1.0)),
        beard_style=str(rng.choice(BEARD_STYLES, p=[0.6, 0.2, 0.13, 0.07])),
        beard=float(rng.uniform(0.15, 1.1)) if bearded else 0.0,
        long=bool(rng.random() < LONG_SHARE) and bearded,
        shadow=float(np.clip(rng.normal(0.35, 0.3), 0, 1)) * masculine,
    )
    if photographed:
        face_hair = replace(face_hair, brow=0.0, shadow=0.0)
    if not recipe.has("beard"):
        face_hair = replace(face_hair, beard=0.0, long=False, shadow=0.0)
    if not recipe.has("brows"):
        face_hair = replace(face_hair, brow=0.0)
    return face_hair


def _hair_color(rng: np.random.Generator, age: float, dark: float) -> np.ndarray:
    """(3,) linear; dark skins have dark hair, the old are mostly gray."""
    fair = np.array([0.2, 0.24, 0.22, 0.14, 0.12, 0.08])
    odds = (1 - dark) * fair + dark * np.array([0.8, 0.17, 0.03, 0, 0, 0])
    hair = HAIR_COLORS[rng.choice(6, p=odds / odds.sum())]
    gray = HAIR_COLORS[rng.choice([GRAY, WHITE], p=[0.65, 0.35])]
    share = np.clip(rng.normal(1.9 * age - 0.95, 0.3), 0, 1)
    mixed = (1 - share) * hair + share * gray
    return to_linear(np.clip(mixed * np.exp(rng.normal(0, 0.06)), 0.03, 0.8))


def _iris_odds(dark: float) -> np.ndarray:
    fair = np.array([0.2, 0.25, 0.25, 0.3])
    return (1 - dark) * fair + dark * np.array([0.9, 0.1, 0, 0])


def _cloth_color(rng: np.random.Generator) -> np.ndarray:
    """(3,) linear: mostly dark, white or gray cloth, sometimes a color."""
    gray = rng.choice([0.08, 0.2, 0.45, 0.85], p=[0.4, 0.2, 0.15, 0.25]) * np.exp(
        rng.normal(0, 0.2)
    )
    vivid = rng.choice([0.08, 0.5], p=[0.7, 0.3])
    return to_linear(np.clip(gray * (1 + vivid * rng.normal(0, 1, 3)), 0.02, 0.92))
