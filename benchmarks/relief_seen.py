"""How much of a face's relief do the weights read from the photo, and how much do they suppose?

python benchmarks/relief_seen.py --assets DATA --people 16
python benchmarks/relief_seen.py --assets DATA --people 40 --of wrinkles

Each person is rendered twice, the same in all but the relief that no head model knows (random
forms), or in all but wrinkles, which the first look does not have. Of the change between the two
depths, less offset and tilt: the share that shows in the change of the predictions (slope of the
regression), and how well the two agree (correlation). Weights that only suppose a likely face have
0 and 0, those that see all have 1 and 1.
"""

import argparse
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np
import torch

from df2net_hub import DF2NetPipeline
from df2net_hub.geometry import DEPTH_UNIT_PX
from df2net_hub.synthesis import sampling
from df2net_hub.synthesis.recipe import SynthesisRecipe
from df2net_hub.synthesis.sampling import HeadSampler, Pair

SIZE = 512
BALD = ("hair", "glasses", "occluders")  # what would hide the relief, or move with it
# Waves that a Gaussian of this deviation leaves out are narrow: about 1 cm, 4 mm.
NARROW_PX = {"forms": 20.0, "wrinkles": 8.0}


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


def less_tilt(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(S,S) `values` without the plane that fits them best in the mask, 0 outside."""
    y, x = np.nonzero(mask)
    plane = np.column_stack([np.ones(len(x)), x, y])
    out = np.zeros(mask.shape)
    out[mask] = values[mask] - plane @ np.linalg.lstsq(plane, values[mask], rcond=None)[0]
    return out


def narrow(values: np.ndarray, mask: np.ndarray, deviation: float) -> np.ndarray:
    """(S,S) what `values`, 0 outside the mask, have beyond their mean around each pixel of it."""
    around, inside = (
        cv2.GaussianBlur(part, (0, 0), deviation) for part in (values, mask.astype(float))
    )
    return np.where(mask, values - around / np.maximum(inside, 1e-3), 0)


def predictions(pipe: DF2NetPipeline, image: np.ndarray) -> dict[str, np.ndarray]:
    """Stage -> (S,S) depth [px of the crop]."""
    with torch.inference_mode():
        stages = pipe.cascade(pipe.to_tensor(image))
    names = ("dense", "fine", "finer")
    return {name: getattr(stages, name).squeeze().numpy() * DEPTH_UNIT_PX for name in names}


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


def with_and_without_wrinkles(sampler: HeadSampler, seed: int, person: int) -> list[Pair]:
    """A person with smooth skin and with wrinkles."""
    pairs = []
    for without in (("wrinkles",), ()):
        sampler.recipe = SynthesisRecipe(without=(*BALD, *without))
        pairs.append(sampler.pair(seed, person, SIZE))
    return pairs


TWICE = {"forms": with_other_forms, "wrinkles": with_and_without_wrinkles}


def measure(
    pipe: DF2NetPipeline, sampler: HeadSampler, of: str, people: int, seed: int
) -> dict[str, tuple[Agreement, Agreement]]:
    """Stage -> agreement over all waves and over narrow ones."""
    found = {stage: (Agreement(), Agreement()) for stage in ("dense", "fine", "finer")}
    for person in range(people):
        pairs = TWICE[of](sampler, seed, person)
        mask = pairs[0].mask & pairs[1].mask
        true = less_tilt((pairs[1].depth - pairs[0].depth) * DEPTH_UNIT_PX, mask)
        first, second = (predictions(pipe, pair.image) for pair in pairs)
        for stage, (whole, fine) in found.items():
            change = less_tilt(second[stage] - first[stage], mask)
            whole.add(true[mask], change[mask])
            sharp = (narrow(one, mask, NARROW_PX[of])[mask] for one in (true, change))
            fine.add(*sharp)
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="pipeline folder or owner/name (the bundled weights)")
    parser.add_argument("--assets", help="ingredients, see docs/assets.md (a head of formulas)")
    parser.add_argument(
        "--of", choices=TWICE, default="forms", help="the relief in question (forms)"
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
    found = measure(pipe, sampler, args.of, args.people, args.seed)
    print("| stage | share seen | correlation | share, narrow | correlation, narrow |")
    print("|---|---|---|---|---|")
    for stage, (whole, fine) in found.items():
        numbers = whole.share, whole.correlation, fine.share, fine.correlation
        print(f"| {stage} | " + " | ".join(f"{number:.2f}" for number in numbers) + " |")


if __name__ == "__main__":
    main()
