"""What the commands that write sets of pairs share: their flags, and writing with a bar."""

import argparse
import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from df2net_hub.commands import DONE
from df2net_hub.pair_card import check_push, finish_set, push_set
from df2net_hub.shards import Maker, SetReport, rows_per_shard, write_set

EXTRAS = ("datasets", "pyarrow", "filelock")
REASONS_SHOWN = 4


def add_set_arguments(parser: argparse.ArgumentParser, seed: bool = False) -> None:
    """Add the flags that all sets have, and with `seed` that of sets that are drawn at random."""
    parser.add_argument(
        "--size", type=at_least(32), default=512, metavar="PX",
        help="side of the pictures [px] (default 512)",
    )  # fmt: skip
    if seed:
        parser.add_argument(
            "--seed", type=at_least(0), default=0, metavar="N",
            help="what is drawn at random follows from it and the number of the pair (default 0)",
        )  # fmt: skip
    parser.add_argument(
        "--workers", type=at_least(1), default=1, metavar="N",
        help="processes; the set does not depend on them (default 1)",
    )  # fmt: skip
    parser.add_argument(
        "--shard", type=shard_part, default=(0, 1), metavar="I/N",
        help="make only part I of N, for work shared by N machines: 1/4, 2/4, 3/4 and 4/4 together "
        "are the set; put their files into one folder and run once more without --shard",
    )  # fmt: skip
    parser.add_argument(
        "--push", metavar="OWNER/NAME",
        help="at the end upload the folder to this dataset of the Hugging Face Hub",
    )  # fmt: skip


def shard_part(text: str) -> tuple[int, int]:
    """Turn 2/4, as people count, into (1, 4)."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"expected I/N with I from 1 to N, such as 1/4: {text!r}")
    return int(match[1]) - 1, int(match[2])


def at_least(least: int) -> Callable[[str], int]:
    """What reads a flag's number and refuses those under `least`."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a number of {least} or more, got {text!r}")
        return int(text)

    return number


def need_extras(*names: str) -> None:
    """Raise with the command that installs what is missing.

    Raises:
        LookupError: one of `names`, or what every set needs, is not installed.
    """
    for name in (*EXTRAS, *names):
        if find_spec(name) is None:
            raise LookupError(f"{name} is not installed: pip install 'df2net_hub[train]'")


def write_with_progress(
    args: argparse.Namespace,
    folder: str | Path,
    name: str,
    maker: Maker,
    count: int,
    recipe: dict[str, Any],
    *,
    unit: str = "pair",
) -> int:
    """Write the set that the flags of `add_set_arguments` ask for; returns the exit status.

    Shows a bar, says at the end what was made, kept and rejected, writes the card and contact
    sheet, and uploads the folder if asked to. The recipe may hold "command" (a string for the
    card), "license" (an identifier of the Hub, such as "cc0-1.0") and "licenses" (lines for the
    card on what the set was made from; an empty list says that they were not stated); see
    `shards.write_set` for the rest.

    Raises:
        ValueError: --push with a part of a set only, or a bad name; and what `write_set` raises.
    """
    from tqdm import tqdm

    folder, (part, parts) = Path(folder), args.shard
    if args.push:
        if parts > 1:
            raise ValueError(
                "--push publishes whole sets: put the files of all parts into one folder and run "
                "again there without --shard"
            )
        check_push(args.push)  # before hours of work
    rows = rows_per_shard(args.size)
    shards = range(part, -(-count // rows), parts)
    inputs = sum(min(rows, count - shard * rows) for shard in shards)
    pace = 0.2 if sys.stderr.isatty() else 30  # a log file wants few lines
    calls: list[int] = []
    with tqdm(total=inputs, unit=f" {unit}", mininterval=pace, dynamic_ncols=True) as bar:

        def show(done: int) -> None:
            if calls:
                bar.update(done)
            else:  # what was there already says nothing of the speed
                bar.initial = bar.n = done
                bar.refresh()
            calls.append(done)

        made = write_set(
            folder, name, maker, count, recipe,
            rows_per_shard=rows, workers=args.workers, part=args.shard, on_done=show,
        )  # fmt: skip
        now = sum(calls[1:])
    _finish(folder, name, made, now, args)
    return DONE


def _finish(folder: Path, name: str, made: SetReport, now: int, args: argparse.Namespace) -> None:
    part, parts = args.shard
    which = f"set {name!r}" + (f", part {part + 1} of {parts}" if parts > 1 else "")
    print(f"{which} in {folder}: {made.kept} pairs, {now} of {made.made} inputs made now")
    if made.rejected:
        main = list(made.rejected.items())[:REASONS_SHOWN]
        reasons = ", ".join(f"{inputs} {reason}" for reason, inputs in main)
        others = len(made.rejected) - len(main)
        more = f" and {others} more reasons" if others else ""
        print(f"rejected {sum(made.rejected.values())}: {reasons}{more}")
    if parts > 1:
        print("put the files of all parts into one folder and run once more without --shard")
        return
    finish_set(folder)
    print(f"look at {folder / 'contact_sheet.jpg'} and {folder / 'README.md'}")
    if args.push:
        print(push_set(folder, args.push))
