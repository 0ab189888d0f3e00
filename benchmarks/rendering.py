"""Rendered training pairs per second, and where the time of one goes.

    python benchmarks/rendering.py                                # the procedural head
    python benchmarks/rendering.py --assets FOLDER --pairs 48
    python benchmarks/rendering.py --sizes 512 --workers 1 2 4

A pair counts from drawing the person to the encoded row, all pictures of it. Every worker renders
with one thread. The baseline, measured in turns with the pairs, is the bare z-buffer of the same
meshes at the same size: what no renderer can do without. Milliseconds are of the processor's time,
which a busy machine disturbs less than the clock's; pairs per second are by the clock.
"""

import argparse
import platform
import resource
import sys
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import wraps
from multiprocessing import get_context
from statistics import median
from time import perf_counter, process_time
from typing import Any

SEED = 0
STEPS = {  # step -> functions that make it up, by module of df2net_hub.synthesis or df2net_hub
    "draw person and shape": ("sampling.HeadSampler._scene",),
    "surface (z-buffer, wrinkles, normals)": ("render.see_surface",),
    "paint": ("render.paint",),
    "shade": ("render.shade_head", "render.lamps"),
    "shadows and open sky": ("render.lit_by", "render.open_sky"),
    "occluders": ("render.cover", "render.shade_cover"),
    "maps": ("render._bring_down",),
    "camera": ("sampling.backdrop", "sampling.photograph", "sampling.to_srgb"),
}
Times = dict[str, list[float]]


def make_sampler(assets: str | None, size: int) -> Any:
    """The sampler that `df2net synthesize` would use."""
    import cv2

    from df2net_hub.synthesis.sampling import HeadSampler

    cv2.setNumThreads(1)
    return HeadSampler.from_folder(assets, size) if assets else HeadSampler.procedural()


def make_row(sampler: Any, index: int, size: int) -> dict[str, Any]:
    """Pair `index`, encoded."""
    from df2net_hub.pairs import encode_row

    return encode(encode_row, sampler.pair(SEED, index, size))


def encode(encode_row: Callable[..., dict[str, Any]], pair: Any) -> dict[str, Any]:
    """A rendered pair as a row of the schema."""
    names = ("image", "depth", "mask", "albedo", "normals", "light", "landmarks")
    return encode_row(id="0", source="morphable", **{name: getattr(pair, name) for name in names})


def clock_steps(times: Times) -> None:
    """Make the functions of STEPS add the seconds of every call to `times`."""
    from df2net_hub.synthesis import render, sampling

    homes: dict[str, Any] = {"render": render, "sampling": sampling}
    for step, names in STEPS.items():
        for name in names:
            *path, last = name.split(".")
            home = homes[path[0]]
            for part in path[1:]:
                home = getattr(home, part)
            setattr(home, last, clocked(getattr(home, last), times[step]))


def clocked(function: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    """`function`, which appends to `seconds` how long it took."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        start = process_time()
        result = function(*args, **kwargs)
        seconds.append(process_time() - start)
        return result

    return run


def measure_steps(assets: str | None, size: int, pairs: int) -> tuple[Times, list[float]]:
    """Seconds per pair of every step, of the whole, and the ratio to the bare z-buffer."""
    from df2net_hub.pairs import encode_row
    from df2net_hub.synthesis import render, sampling
    from df2net_hub.synthesis.raster import rasterize

    sampler = make_sampler(assets, size)
    make_row(sampler, pairs, size)  # compiles
    calls: Times = defaultdict(list)
    clock_steps(calls)
    scenes: list[Any] = []
    whole_render = sampling.render

    def remember(*args: Any) -> Any:
        scenes[:] = [args]
        return whole_render(*args)

    sampling.render = remember
    per_pair: Times = defaultdict(list)
    ratios = []
    for index in range(pairs):
        calls_before = {step: sum(calls[step]) for step in STEPS}
        start = process_time()
        pair = sampler.pair(SEED, index, size)
        middle = process_time()
        encode(encode_row, pair)
        end = process_time()
        model, _, scene = scenes[0][:3]
        fine = round(size * scenes[0][5])
        points = render.project(scene.shape, scene, fine)
        bare_start = process_time()
        rasterize(points, model.triangles, fine, cull=True)
        bare = process_time() - bare_start
        for step in STEPS:
            per_pair[step].append(sum(calls[step]) - calls_before[step])
        per_pair["encode"].append(end - middle)
        per_pair["whole pair"].append(end - start)
        per_pair["baseline: bare z-buffer"].append(bare)
        ratios.append((end - start) / bare)
    return per_pair, ratios


def work(assets: str | None, size: int, first: int, pairs: int) -> tuple[float, float, float]:
    """Start and end [s] of rendering `pairs` pairs by the machine's clock, peak memory [MB]."""
    sampler = make_sampler(assets, size)
    make_row(sampler, first, size)  # compiles
    start = perf_counter()
    for index in range(first, first + pairs):
        make_row(sampler, index, size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return start, perf_counter(), peak / (1024 if sys.platform != "darwin" else 1024**2)


def measure_workers(assets: str | None, size: int, pairs: int, workers: int) -> tuple[float, float]:
    """Pairs per second of `workers` processes together, and the peak memory of one [MB]."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(work, assets, size, n * pairs, pairs) for n in range(workers)]
        done = [job.result() for job in jobs]
    # Processes start apart: each one's own rate counts, over its own time.
    rate = sum(pairs / (end - start) for start, end, _ in done)
    return rate, max(peak for _, _, peak in done)


def main() -> None:
    """Parse the flags, measure, print two Markdown tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assets", help="folder of `df2net synthesize` (default: no data needed)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 192])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--pairs", type=int, default=32, help="pairs per worker (default 32)")
    args = parser.parse_args()
    if args.pairs < 1 or min(args.workers) < 1 or min(args.sizes) < 16:
        parser.error("--pairs and --workers must be 1 or more, --sizes 16 or more")

    rates = {
        (size, workers): measure_workers(args.assets, size, args.pairs, workers)
        for size in args.sizes
        for workers in args.workers
    }
    print(f"{args.pairs} pairs per worker, {platform.machine()}, assets: {args.assets or 'none'}\n")
    print("| size [px] | workers | pairs/s | peak memory of a worker [MB] |\n|---|---|---|---|")
    for (size, workers), (rate, peak) in rates.items():
        print(f"| {size} | {workers} | {rate:.1f} | {peak:.0f} |")
    for size in args.sizes:
        seconds, ratios = measure_steps(args.assets, size, args.pairs)
        print(f"\n| step at {size} px | median [ms] |\n|---|---|")
        for step, values in seconds.items():
            print(f"| {step} | {1000 * median(values):.1f} |")
        print(f"| whole pair / baseline (median of ratios) | {median(ratios):.1f} x |")


if __name__ == "__main__":
    main()
