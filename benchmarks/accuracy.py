"""Depth and normal error of every stage; a short way to `df2net evaluate`, which can do more.

python benchmarks/accuracy.py --views FOLDER              # .npz views: docs/evaluation.md
python benchmarks/accuracy.py --pairs FOLDER --count 200  # rendered pairs, already cropped
"""

import argparse
import sys

from df2net_hub.cli import main as df2net


def main() -> int:
    """Hand the flags on; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--views", help="folder of .npz views")
    source.add_argument("--pairs", help="folder of rendered pairs")
    parser.add_argument("--count", default="200", help="pairs to measure (default 200)")
    parser.add_argument("--model", help="pipeline folder or hub id (default: the bundled weights)")
    parser.add_argument("--out", default="evaluation", help="folder of the report (evaluation)")
    args = parser.parse_args()
    words = ["evaluate", args.views or args.pairs, "-o", args.out]
    words += ["--limit", args.count] if args.pairs else []
    words += ["--model", args.model] if args.model else []
    return df2net(words)


if __name__ == "__main__":
    sys.exit(main())
