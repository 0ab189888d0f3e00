"""Time per face of a cascade against a baseline, measured in turns in one and the same run.

    python benchmarks/speed.py                              # df2net_small against df2net_base
    python benchmarks/speed.py --threads 1 --rounds 15
    python benchmarks/speed.py --model df2net_plain --json speed.json

One face is a crop of 512 x 512 pixels. Each round times every network of both cascades once, so a
machine that is busy for a while slows both; the ratio is the median of the rounds' ratios. Time
does not depend on the weights: the networks are freshly made. Where the package carries weights,
the way from the demo photograph to its face is timed as well: photo, detector, networks, normals.
"""

import argparse
import json
import platform
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch import Tensor
from tqdm import tqdm

from df2net_hub.geometry import CROP_SIZE
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.registry import create_model

PARTS = ("dense", "fine", "finer", "cascade")
WARM_UP = 2  # rounds that are not counted


def timed(run: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    start = perf_counter()
    run()
    return perf_counter() - start


@torch.inference_mode()
def one_round(cascade: DF2Net, photo: Tensor) -> dict[str, float]:
    """Seconds per face of each network, and of the cascade as a whole."""
    dense, _ = cascade.see(photo)
    return {
        "dense": timed(lambda: cascade.see(photo)),
        "fine": timed(lambda: cascade.refine(photo, dense)),
        "finer": timed(lambda: cascade.relief(photo, dense)),
        "cascade": timed(lambda: cascade(photo)),
    }


def measure(names: list[str], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of each part of each cascade, round by round."""
    cascades = {}
    for name in names:
        cascade = create_model(name)
        if not isinstance(cascade, DF2Net):
            raise ValueError(f"{name!r} is no cascade; see `df2net models`")
        cascades[name] = cascade.eval()
    photo = torch.rand(1, 3, CROP_SIZE, CROP_SIZE) * 2 - 1
    seconds: dict[str, dict[str, list[float]]] = {
        name: {part: [] for part in PARTS} for name in names
    }
    for number in tqdm(range(WARM_UP + rounds), unit="round"):
        for name, cascade in cascades.items():
            for part, duration in one_round(cascade, photo).items():
                if number >= WARM_UP:
                    seconds[name][part].append(duration)
    return seconds


def measure_pipeline(rounds: int) -> list[float] | None:
    """Seconds from the demo photograph to its face; None where no weights are bundled."""
    from df2net_hub.demo_photo import demo_photo
    from df2net_hub.pipelines.df2net import BUNDLED_WEIGHTS, DF2NetPipeline

    if not BUNDLED_WEIGHTS.is_dir():
        return None
    photo, pipe = demo_photo(), DF2NetPipeline.from_pretrained()
    assert len(pipe(photo).faces) == 1  # warm-up
    return [timed(lambda: pipe(photo)) for _ in range(rounds)]


def median_ratio(model: list[float], baseline: list[float]) -> float:
    """The median over the rounds of model / baseline."""
    return median(ours / theirs for ours, theirs in zip(model, baseline, strict=True))


def main() -> None:
    """Parse the flags, measure, print the table, and write every round's seconds if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="df2net_small", help="cascade (default df2net_small)")
    parser.add_argument("--baseline", default="df2net_base", help="cascade (default df2net_base)")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch (default 2)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds that count (default 9)")
    parser.add_argument("--json", help="write the seconds of every round here")
    args = parser.parse_args()
    if args.model == args.baseline or args.rounds < 1 or args.threads < 1:
        parser.error("--model and --baseline must differ, --rounds and --threads be 1 or more")
    torch.set_num_threads(args.threads)

    seconds = measure([args.baseline, args.model], args.rounds)
    model, baseline = seconds[args.model], seconds[args.baseline]
    ratios = {part: median_ratio(model[part], baseline[part]) for part in PARTS}
    print(
        f"{args.rounds} rounds in turns, {args.threads} threads, {platform.machine()}, "
        f"torch {torch.__version__}; medians in milliseconds per face\n\n"
        f"| part | {args.baseline} | {args.model} | ratio |\n|---|---|---|---|"
    )
    for part in PARTS:
        times = [f"{1000 * median(one[part]):.0f}" for one in (baseline, model)]
        print(f"| {part} | {times[0]} | {times[1]} | {ratios[part]:.3f} |")

    pipeline = measure_pipeline(args.rounds)
    if pipeline is None:
        print("\nno weights are bundled: the whole pipeline is not timed")
    else:
        print(f"\nfrom the demo photograph to its face: {1000 * median(pipeline):.0f} ms")
    if args.json:
        result = {
            "threads": args.threads,
            "ratio": ratios,
            "seconds": seconds,
            "pipeline_seconds": pipeline,
        }
        Path(args.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
