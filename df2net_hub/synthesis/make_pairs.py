"""Render a set of training pairs: shards in parallel, repeatable by seed, resumable."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from df2net_hub.pairs import encode_row, write_shard
from df2net_hub.synthesis.sampling import HeadSampler

PAIRS_PER_SHARD = 250
_sampler: HeadSampler | None = None


def _start_worker(assets: str | None, size: int) -> None:
    import cv2

    global _sampler  # one sampler per worker process: it holds 0.4 GB and takes seconds to build
    from datasets import disable_progress_bars

    disable_progress_bars()
    cv2.setNumThreads(1)
    _sampler = HeadSampler.procedural() if assets is None else HeadSampler.from_folder(assets, size)


def _make_shard(folder: str, shard: int, count: int, seed: int, size: int) -> int:
    assert _sampler is not None
    rows = []
    for index in range(shard * PAIRS_PER_SHARD, shard * PAIRS_PER_SHARD + count):
        pair = _sampler.pair(seed, index, size)
        rows.append(
            encode_row(
                id=f"{seed}-{index:07d}",
                source="morphable",
                image=pair.image,
                depth=pair.depth,
                mask=pair.mask,
                albedo=pair.albedo,
                normals=pair.normals,
                light=pair.light,
                landmarks=pair.landmarks,
                camera={"yaw": pair.yaw, "pitch": pair.pitch, "mm_per_px": pair.mm_per_px},
            )
        )
    write_shard(rows, Path(folder) / shard_name(seed, shard))
    return count


def shard_name(seed: int, shard: int) -> str:
    """File name of shard `shard` of set `seed`."""
    return f"seed{seed}-{shard:05d}.parquet"


def make_pairs(
    folder: str | Path,
    count: int,
    *,
    assets: str | None = None,
    size: int = 512,
    seed: int = 0,
    workers: int = 1,
    on_done: Callable[[int], None] = lambda made: None,
) -> int:
    """Render pairs 0 to count-1 of set `seed` into Parquet shards; shards already there are kept.

    Args:
        folder: where the shards go; made if missing.
        count: pairs in the whole set.
        assets: folder with morphable head, skins and light; None renders the procedural head.
        size: side of the pictures [px].
        seed: names the set; a pair depends on (seed, index) alone.
        workers: processes.
        on_done: called with the number of pairs of each shard as it is finished or found.

    Returns:
        Number of pairs rendered now.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if assets is None or not Path(assets).is_dir():
        if assets is not None:
            raise FileNotFoundError(f"no folder {assets}; docs/data.md says what belongs in it")
    todo = {}
    for shard, start in enumerate(range(0, count, PAIRS_PER_SHARD)):
        size_here = min(PAIRS_PER_SHARD, count - start)
        if (folder / shard_name(seed, shard)).is_file():
            on_done(size_here)
        else:
            todo[shard] = size_here
    made = 0
    # spawn: forked children of a process that ran numba or torch threads can hang.
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(assets, size)
    ) as pool:
        jobs = [pool.submit(_make_shard, str(folder), n, c, seed, size) for n, c in todo.items()]
        try:
            for job in as_completed(jobs):
                made += job.result()
                on_done(job.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)  # else the remaining shards would be rendered first
            raise
    return made
