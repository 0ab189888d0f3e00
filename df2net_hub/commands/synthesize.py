"""Render training pairs: photo, depth, face mask and albedo of random heads.

Writes Parquet shards that `datasets.load_dataset("parquet", data_dir=FOLDER)` reads. With --assets
the heads come from a morphable model, skins and light of yours (docs/data.md); without, from a
small procedural head that needs no data and is good for trying the trainer only. Kill it at any
time: shards are written whole or not at all, and the same command goes on where it stopped. A pair
depends on the seed and its number alone.
"""

import argparse
from importlib.util import find_spec

from df2net_hub.commands import DONE

EXAMPLES = """\
  df2net synthesize pairs --count 500 --size 128
  df2net synthesize pairs --assets DATA --count 20000 --size 256 --workers 8
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", help="where the shards go")
    parser.add_argument(
        "--count", type=int, default=1000, help="pairs in the whole set (default 1000)"
    )
    parser.add_argument("--assets", help="folder with ict_facekit/, skins_ict_uv/, light_probes/")
    parser.add_argument(
        "--size", type=int, default=512, help="side of the pictures [px] (default 512)"
    )
    parser.add_argument("--seed", type=int, default=0, help="names the set (default 0)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")


def run(args: argparse.Namespace) -> int:
    for needed in ("numba", "datasets"):
        if find_spec(needed) is None:
            raise ModuleNotFoundError(f"{needed} is not installed: pip install 'df2net_hub[train]'")
    from df2net_hub.synthesis.make_pairs import make_pairs

    if args.count < 1 or args.size < 32 or args.workers < 1:
        raise ValueError("--count and --workers must be 1 or more, --size 32 or more")
    made = make_pairs(
        args.folder,
        args.count,
        assets=args.assets,
        size=args.size,
        seed=args.seed,
        workers=args.workers,
    )
    print(f"{made.kept} pairs in {args.folder}")
    return DONE
