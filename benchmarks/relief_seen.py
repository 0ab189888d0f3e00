"""How much of a face's relief do the weights read from the photo, and how much do they suppose?

python benchmarks/relief_seen.py --assets DATA --people 16
python benchmarks/relief_seen.py --assets DATA --people 24 --of wrinkles
python benchmarks/relief_seen.py --assets DATA --people 16 --of places
python benchmarks/relief_seen.py --assets DATA --people 60 --of lean

Forms: each person is rendered twice, the same in all but the relief that no head model knows
(random forms). Of the change between the two depths, less offset and tilt: the share that shows in
the change of the predictions (slope of the regression), and how well the two agree (correlation).
Weights that only suppose a likely face have 0 and 0, those that see all have 1 and 1.

Places: each person is rendered twice, the same but for one place, eyes, nose, mouth or chin, which
lies 6 mm further forward the second time. Share and correlation as for forms.

Lean: each person is rendered twice, the same but for the depth, which is sheared by a tenth of the
height over the eyes the second time: from the front the picture hardly changes. The share of the
change in the face's slope from top to bottom that shows.

Wrinkles: each person is rendered with smooth skin, with lines and folds, and with the lumps and
pores of skin as well. Skins of photographs show some dark lines in all, so the change alone would
not do. The prediction's narrow relief is explained by the true one of the smooth look, by the lines
and by the lumps, by least squares: the share of each that shows, and of the lines also where only
the paint is left of them.
"""

import argparse
from dataclasses import dataclass, field, replace
from functools import partial

import cv2
import numpy as np
import torch

from df2net_hub import DF2NetPipeline
from df2net_hub.geometry import DEPTH_UNIT_PX
from df2net_hub.synthesis import sampling
from df2net_hub.synthesis.recipe import SynthesisRecipe
from df2net_hub.synthesis.sampling import HeadSampler, Pair
from df2net_hub.synthesis.wrinkles import KINDS

SIZE = 512
BALD = ("hair", "glasses", "occluders")  # what would hide the relief, or move with it
# Waves that a Gaussian of this deviation leaves out are narrow: about 1 cm, and 4 mm.
NARROW_PX, WRINKLES_PX = 20.0, 8.0
STAGES = ("dense", "fine", "finer")
# Landmarks, of the 68, around whose means a Gaussian of this deviation moves the surface.
PLACES = {
    "eyes": (range(36, 42), range(42, 48)),
    "tip of the nose": ([30],),
    "mouth": (range(48, 68),),
    "chin": ([8],),
}
MOVED_CM, AROUND_CM = 0.6, 1.3
LEANS = (-0.14, -0.04)  # depth over height; the renderer draws -0.09 with a deviation of 0.02
FRONT_DEG = 15.0
LUMPS = ("unevenness", "grain")  # of the kinds of wrinkles, what is all over the skin
# Lumps move the surface by less than this [px]; where it moves further, an edge has that hides
# what is behind it, which has nothing to do with lumps. Pixels so near to these are left out.
LUMPS_PX, NEAR_EDGES_PX = 3.0, 12


@dataclass
class Agreement:
    """Sums over pixels of the products of true and predicted change."""

    products: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def add(self, true: np.ndarray, predicted: np.ndarray) -> None:
        self.products += [true @ true, true @ predicted, predicted @ predicted]

    @property
    def share(self) -> float:
        return float(self.products[1] / self.products[0])

    @property
    def correlation(self) -> float:
        return float(self.products[1] / np.sqrt(self.products[0] * self.products[2]))


@dataclass
class Shares:
    """Least squares of a prediction over three causes: smooth relief, lines and lumps."""

    causes: np.ndarray = field(default_factory=lambda: np.zeros((3, 3)))
    effects: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def add(self, true: np.ndarray, predicted: np.ndarray) -> None:
        """`true` (3,N) and `predicted` (N,) relief at N pixels."""
        self.causes += true @ true.T
        self.effects += true @ predicted

    @property
    def read(self) -> np.ndarray:
        """(3,) share of each cause that shows."""
        return np.asarray(np.linalg.solve(self.causes, self.effects))


def plane_of(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(3,) offset and slopes in x and y of the plane that fits `values` (S,S) best in the mask."""
    y, x = np.nonzero(mask)
    plane = np.column_stack([np.ones(len(x)), x, y])
    return np.asarray(np.linalg.lstsq(plane, values[mask], rcond=None)[0])


def less_tilt(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(S,S) `values` without the plane that fits them best in the mask, 0 outside."""
    offset, along_x, along_y = plane_of(values, mask)
    y, x = np.nonzero(mask)
    out = np.zeros(mask.shape)
    out[mask] = values[mask] - (offset + along_x * x + along_y * y)
    return out


def narrow(values: np.ndarray, mask: np.ndarray, deviation: float) -> np.ndarray:
    """(S,S) what `values`, 0 outside the mask, have beyond their mean around each pixel of it."""
    around, inside = (
        cv2.GaussianBlur(part, (0, 0), deviation) for part in (values, mask.astype(float))
    )
    return np.where(mask, values - around / np.maximum(inside, 1e-3), 0)


def sharp(depth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(N,) narrow relief of a depth map at the pixels of its mask."""
    return narrow(less_tilt(depth, mask), mask, WRINKLES_PX)[mask]


def beside_edges(lined: np.ndarray, lumpy: np.ndarray) -> np.ndarray:
    """(S,S) bool, where lumps have moved an edge from the one depth map to the other, or near."""
    moved = np.abs(lumpy - lined) * DEPTH_UNIT_PX > LUMPS_PX  # not where either is unknown
    return cv2.dilate(moved.astype(np.uint8), np.ones([2 * NEAR_EDGES_PX + 1] * 2)) > 0


def predictions(pipe: DF2NetPipeline, image: np.ndarray) -> dict[str, np.ndarray]:
    """Stage -> (S,S) depth [px of the crop]."""
    with torch.inference_mode():
        stages = pipe.cascade(pipe.to_tensor(image))
    return {name: getattr(stages, name).squeeze().numpy() * DEPTH_UNIT_PX for name in STAGES}


def with_other_forms(sampler: HeadSampler, seed: int, person: int) -> list[Pair]:
    """A person with two different random forms."""
    pairs, as_drawn = [], sampling.random_forms
    for look in range(2):
        rng = np.random.default_rng([seed, person, look])
        # The person's own generator would give the same forms twice.
        sampling.random_forms = partial(lambda rng, _, points: as_drawn(rng, points), rng)
        pairs.append(sampler.pair(seed, person, SIZE))
    sampling.random_forms = as_drawn
    return pairs


def with_a_place_moved(sampler: HeadSampler, seed: int, person: int, place: str) -> list[Pair]:
    """A person with `place` half of `MOVED_CM` further back and as much further forward."""
    pairs, as_drawn = [], sampling.random_forms

    def moved(way: float, rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
        forms = as_drawn(rng, points)
        marks = points[sampler.model.landmarks68]
        for group in PLACES[place]:
            distance = np.linalg.norm(points - marks[list(group)].mean(0), axis=1)
            forms[:, 2] += way * np.exp(-((distance / AROUND_CM) ** 2) / 2)
        return forms

    for way in (-MOVED_CM / 2, MOVED_CM / 2):
        sampling.random_forms = partial(moved, way)
        pairs.append(sampler.pair(seed, person, SIZE))
    sampling.random_forms = as_drawn
    return pairs


def with_other_lean(sampler: HeadSampler, seed: int, person: int) -> list[Pair]:
    """A person whose face leans back, and forward."""
    pairs, as_drawn = [], sampling.LEAN
    for lean in LEANS:
        sampling.LEAN = (lean, 0.0)
        pairs.append(sampler.pair(seed, person, SIZE))
    sampling.LEAN = as_drawn
    return pairs


def smooth_lined_and_lumpy(sampler: HeadSampler, seed: int, person: int) -> list[Pair]:
    """A person with smooth skin, with lines and folds, and with the skin's lumps as well."""
    kit = sampler.wrinkles
    lines = np.array([kind not in LUMPS for kind in KINDS], np.float32)
    lined = replace(kit, maps=kit.maps * lines[:, None, None, None])
    pairs = []
    for without, drawn in ((("wrinkles",), kit), ((), lined), ((), kit)):
        sampler.recipe = SynthesisRecipe(without=(*BALD, *without))
        sampler.wrinkles = drawn
        pairs.append(sampler.pair(seed, person, SIZE))
    return pairs


def changes(
    pipe: DF2NetPipeline, pairs: list[Pair]
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Mask (S,S), true change and, of each stage, the predicted one (S,S) [px], without tilt."""
    mask = pairs[0].mask & pairs[1].mask
    true = less_tilt((pairs[1].depth - pairs[0].depth) * DEPTH_UNIT_PX, mask)
    first, second = (predictions(pipe, pair.image) for pair in pairs)
    return mask, true, {stage: less_tilt(second[stage] - first[stage], mask) for stage in STAGES}


def forms_seen(
    pipe: DF2NetPipeline, sampler: HeadSampler, people: int, seed: int
) -> dict[str, tuple[Agreement, Agreement]]:
    """Stage -> agreement over all waves and over narrow ones."""
    found = {stage: (Agreement(), Agreement()) for stage in STAGES}
    for person in range(people):
        mask, true, predicted = changes(pipe, with_other_forms(sampler, seed, person))
        for stage, (whole, fine) in found.items():
            change = predicted[stage]
            whole.add(true[mask], change[mask])
            fine.add(*(narrow(one, mask, NARROW_PX)[mask] for one in (true, change)))
    return found


def places_seen(
    pipe: DF2NetPipeline, sampler: HeadSampler, people: int, seed: int
) -> dict[str, dict[str, Agreement]]:
    """Stage -> place -> agreement."""
    found = {stage: {place: Agreement() for place in PLACES} for stage in STAGES}
    for person in range(people):
        for place in PLACES:
            pairs = with_a_place_moved(sampler, seed, person, place)
            mask, true, predicted = changes(pipe, pairs)
            for stage, change in predicted.items():
                found[stage][place].add(true[mask], change[mask])
    return found


def lean_seen(
    pipe: DF2NetPipeline, sampler: HeadSampler, people: int, seed: int
) -> dict[str, tuple[Agreement, Agreement]]:
    """Stage -> agreement of the slopes on people seen from the front and on turned ones."""
    found = {stage: (Agreement(), Agreement()) for stage in STAGES}
    for person in range(people):
        pairs = with_other_lean(sampler, seed, person)
        mask = pairs[0].mask & pairs[1].mask
        depths = [predictions(pipe, pair.image) for pair in pairs]
        true = plane_of((pairs[1].depth - pairs[0].depth) * DEPTH_UNIT_PX, mask)[2:]
        turned = int(abs(pairs[0].yaw) > FRONT_DEG)
        for stage, groups in found.items():
            change = plane_of(depths[1][stage] - depths[0][stage], mask)[2:]
            groups[turned].add(true, change)
    return found


def wrinkles_seen(
    pipe: DF2NetPipeline, sampler: HeadSampler, people: int, seed: int
) -> dict[str, tuple[Shares, Shares]]:
    """Stage -> what shows in the smooth look and in that with all wrinkles."""
    found = {stage: (Shares(), Shares()) for stage in STAGES}
    for person in range(people):
        looks = smooth_lined_and_lumpy(sampler, seed, person)
        mask = np.logical_and.reduce([pair.mask for pair in looks])
        mask &= ~beside_edges(looks[1].depth, looks[2].depth)
        smooth, lined, lumpy = (sharp(pair.depth * DEPTH_UNIT_PX, mask) for pair in looks)
        true = np.stack([smooth, lined - smooth, lumpy - lined])
        for look, pair in enumerate((looks[0], looks[2])):
            for stage, depth in predictions(pipe, pair.image).items():
                found[stage][look].add(true, sharp(depth, mask))
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="pipeline folder or owner/name (the bundled weights)")
    parser.add_argument("--assets", help="ingredients, see docs/assets.md (a head of formulas)")
    parser.add_argument(
        "--of",
        choices=("forms", "places", "lean", "wrinkles"),
        default="forms",
        help="of what (forms)",
    )
    parser.add_argument("--people", type=int, default=16, help="how many, each twice (16)")
    parser.add_argument("--seed", type=int, default=78)
    args = parser.parse_args()
    recipe = SynthesisRecipe(without=BALD)
    sampler = (
        HeadSampler.from_folder(args.assets, SIZE, recipe)
        if args.assets
        else HeadSampler.procedural(recipe)
    )
    pipe = DF2NetPipeline.from_pretrained(args.model)
    if args.of == "forms":
        columns = ["share seen", "correlation", "share, narrow", "correlation, narrow"]
        rows = {
            stage: [whole.share, whole.correlation, fine.share, fine.correlation]
            for stage, (whole, fine) in forms_seen(pipe, sampler, args.people, args.seed).items()
        }
    elif args.of == "places":
        columns = [f"{place}, {what}" for place in PLACES for what in ("share", "correlation")]
        rows = {
            stage: [number for one in seen.values() for number in (one.share, one.correlation)]
            for stage, seen in places_seen(pipe, sampler, args.people, args.seed).items()
        }
    elif args.of == "lean":
        columns = ["share seen from the front", "share of turned faces"]
        rows = {
            stage: [one.share for one in groups]
            for stage, groups in lean_seen(pipe, sampler, args.people, args.seed).items()
        }
    else:
        columns = ["lines", "paint of lines alone", "lumps", "the rest, narrow"]
        rows = {
            stage: [wrinkled.read[1], smooth.read[1], wrinkled.read[2], wrinkled.read[0]]
            for stage, (smooth, wrinkled) in wrinkles_seen(
                pipe, sampler, args.people, args.seed
            ).items()
        }
    print(f"| stage | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for stage, numbers in rows.items():
        print(f"| {stage} | " + " | ".join(f"{number:.2f}" for number in numbers) + " |")


if __name__ == "__main__":
    main()
