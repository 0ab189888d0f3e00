"""What a set of rendered pairs is made of: the paper's protocol or ours, and what is left out."""

from dataclasses import dataclass

PRESETS = ("ours", "paper")
POSES_PER_SHAPE = {"ours": 1, "paper": 3}  # the paper renders 20K shapes in 3 poses each, Sec. 3.2

# What can be left out to measure what it is good for. The draws of all others stay as they are.
INGREDIENTS = {
    "skins": "one plain tone instead of skin textures",
    "photo_skins": "no skins taken from photographs",
    "tones": "skin textures as they are: neither mixed nor re-toned",
    "overlay": "no freckles, moles, blemishes, blush or make-up",
    "wrinkles": "no displacement: no creases, pores or grain",
    "cavities": "furrows as bright as their rounded walls",
    "expressions": "every face neutral",
    "eyes": "eyes straight ahead, brown; no lashes, lid lines, shade of lids or catchlights",
    "mouth": "teeth, gums and tongue in the plain dark red of the mouth",
    "lips": "lips in the color of the skin, as thick as the heads have them",
    "brows": "no eyebrows",
    "beard": "no beards, no stubble",
    "hair": "no hair: every head bald",
    "curtains": "no hair that hangs before the face",
    "glasses": "no glasses",
    "occluders": "no hats, hands, objects or collars",
    "lamps": "no direct lights: harmonics of a panorama only",
    "shadows": "direct lights cast no shadows",
    "gloss": "no specular reflection on skin and hair",
    "backgrounds": "plain gray behind the head",
    "perspective": "weak perspective only",
    "camera": "no blur, noise, JPEG, color cast or other traces of a camera",
    "sculpted": "no sculpted heads: people of the morphable model alone",
    "forms": "no random relief: forms that the head models know alone",
    "stretch": "no heads beyond the morphable model's own range",
}


@dataclass(frozen=True)
class SynthesisRecipe:
    """What rendered pairs are made of.

    Attributes:
        preset: "ours", where every pair has an identity of its own, or "paper", where pair i shows
            shape i // 3 in its pose i % 3.
        without: names of `INGREDIENTS` to leave out.

    Raises:
        ValueError: an unknown preset or ingredient.
    """

    preset: str = "ours"
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the names; JSON turns tuples into lists."""
        object.__setattr__(self, "without", tuple(self.without))
        if self.preset not in PRESETS:
            raise ValueError(f"unknown preset {self.preset!r}; known: {', '.join(PRESETS)}")
        unknown = [name for name in self.without if name not in INGREDIENTS]
        if unknown:
            raise ValueError(
                f"unknown ingredient {unknown[0]!r} in `without`; known: {', '.join(INGREDIENTS)}"
            )

    def has(self, ingredient: str) -> bool:
        """Whether `ingredient`, one of `INGREDIENTS`, is part of the pictures."""
        assert ingredient in INGREDIENTS, ingredient
        return ingredient not in self.without

    def shape_of(self, index: int) -> int:
        """The number of the shape that pair `index` shows."""
        return index // POSES_PER_SHAPE[self.preset]
