"""Render training pairs: photo, depth, face mask and albedo of random heads.

Writes a set that `datasets.load_dataset(FOLDER)` reads, with a card and a contact sheet. With
--assets the heads come from a morphable model, skins and light of yours (docs/assets.md); without,
from a small procedural head that needs no data and is good for trying the trainer only. Kill it at
any time: shards are written whole or not at all, and the same command goes on where it stopped.
A pair depends on the seed and its number alone (docs/sets.md).
"""

import argparse
import shlex
from pathlib import Path

from df2net_hub.assets.check import check_light
from df2net_hub.commands.set_arguments import (
    add_set_arguments,
    at_least,
    need_extras,
    write_with_progress,
)
from df2net_hub.synthesis.asset_folder import license_lines
from df2net_hub.synthesis.recipe import INGREDIENTS, PRESETS, SynthesisRecipe

EXAMPLES = """\
  df2net synthesize trial --count 500 --size 128
  df2net synthesize pairs --assets DATA --count 20000 --workers 8
  df2net synthesize paper --assets DATA --count 60000 --preset paper --workers 8
  df2net synthesize bald --assets DATA --without hair,beard
  df2net synthesize large --assets DATA --count 60000 --shard 2/4   # the second of four machines
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", help="where the set goes")
    parser.add_argument(
        "--count", type=at_least(1), default=1000, help="pairs in the whole set (default 1000)"
    )
    parser.add_argument(
        "--assets", help="folder that `df2net assets check` finds complete (docs/assets.md)"
    )
    parser.add_argument(
        "--license", help="of the set, for its card: an identifier of the Hub such as cc0-1.0"
    )
    parser.add_argument(
        "--preset", choices=PRESETS, default=PRESETS[0],
        help="paper: each head in three poses, so --count 60000 renders the 20,000 heads of Sec. "
        "3.2; ours (default): a new head for every pair",
    )  # fmt: skip
    parser.add_argument(
        "--without", metavar="NAMES", default="",
        help="leave out ingredients, to measure what they are good for: a comma-separated list of "
        + ", ".join(INGREDIENTS),
    )  # fmt: skip
    add_set_arguments(parser, seed=True)


def run(args: argparse.Namespace) -> int:
    need_extras("numba")
    from df2net_hub.synthesis.make_pairs import RenderedPairs

    without = tuple(name.strip() for name in args.without.split(",") if name.strip())
    synthesis = SynthesisRecipe(args.preset, without)
    maker = RenderedPairs(args.assets, args.seed, args.size, synthesis)
    if args.assets and not (light := check_light(Path(args.assets))).good:
        raise ValueError(light.seen)
    # Without the paths of this machine: the card is published.
    words = ["df2net", "synthesize", "FOLDER", "--count", args.count]
    words += ["--seed", args.seed, "--size", args.size, *(["--assets", "DATA"] * bool(args.assets))]
    words += ["--preset", args.preset, *(["--without", ",".join(without)] * bool(without))]
    recipe = maker.recipe() | {"command": shlex.join(map(str, words))}
    if args.assets:
        recipe["licenses"] = license_lines(args.assets)
    if args.license:
        recipe["license"] = args.license
    return write_with_progress(args, args.folder, maker.name, maker, args.count, recipe)
