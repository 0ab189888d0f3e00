"""How far reconstructions are from the truth, by the paper's protocol (DF2Net, Sec. 4.2).

SOURCE holds photos of faces whose depth is known: a folder of .npz views, of FaceScape, of BU-3DFE,
of pairs as `df2net synthesize` writes, or such a set OWNER/NAME on the Hub. Every stage of the
model is judged, beside a plane, the mean face of a morphable head (--head) and the depth maps of
any other method (--maps NAME=FOLDER: one VIEW.npy or 16-bit VIEW.png for each view, and a unit.json
that says what the values mean). Report, numbers and figures go to the folder -o. docs/evaluation.md
defines every number and shows the layouts.

A folder of the NoW challenge is judged the challenge's way, by distances between surfaces; --maps
then takes a folder of meshes as the challenge wants them handed in.
"""

import argparse
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from df2net_hub.batch import check_writable
from df2net_hub.commands import DONE
from df2net_hub.commands.reconstruct import usable_device
from df2net_hub.commands.set_arguments import at_least, need_extras
from df2net_hub.evaluating.figures import figures
from df2net_hub.evaluating.methods import Maps, Method, Stages, plane
from df2net_hub.evaluating.now import NowPhoto, is_now, now_photos
from df2net_hub.evaluating.report import MEASURES, write_report
from df2net_hub.evaluating.run import evaluate
from df2net_hub.evaluating.sources import open_views
from df2net_hub.evaluating.summary import Summary, summarize
from df2net_hub.evaluating.views import VALID, Views
from df2net_hub.faces import DETECTOR, get_detector
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.set_manifest import weights_mark
from df2net_hub.synthesis.morphable import load_morphable

if TYPE_CHECKING:  # scipy, which it needs, may be absent
    from df2net_hub.evaluating.now_methods import NowMethod

EXAMPLES = """\
  df2net evaluate VIEWS -o report                     .npz views, the weights that come along
  df2net evaluate unseen --limit 200 -o report        rendered pairs that were not trained on
  df2net evaluate VIEWS --model runs/mine/finer/model -o mine
  df2net evaluate VIEWS --head head.npz -o report     beside the mean face of a morphable head
  df2net evaluate VIEWS --maps prnet=PRNET_DEPTH --maps eos=EOS_DEPTH -o compared
  df2net evaluate VIEWS --no-model --maps mine=MY_DEPTH -o mine     other methods alone
  df2net evaluate NOW_EVALUATION/dataset --maps deca=DECA_MESHES -o report     NoW's validation set
"""
OWN_ROWS = ("plane", "mean face", "mean head", "dense", "fine", "finer")
SHOWN = ("mean", "std", "median", "largest90", "shift_only", "normal_deg", "detail", "covered")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", help="folder of .npz views or of pairs, or OWNER/NAME on the Hub")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("evaluation"),
        help="folder of report.md, report.html, report.json and figures (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--model", help="pipeline folder, or owner/name on the Hub (bundled)")
    parser.add_argument(
        "--no-model", action="store_true", help="judge only a plane, --head and --maps"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps ... (%(default)s)")
    parser.add_argument(
        "--detector", default=DETECTOR,
        help="finds the faces of views: dlib, none, or a plugin's name (dlib); pairs are crops",
    )  # fmt: skip
    parser.add_argument(
        "--maps", action="append", default=[], metavar="NAME=FOLDER",
        help="depth maps of another method; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--head", metavar="HEAD.npz",
        help="morphable head (docs/assets.md) whose mean face is placed by the landmarks of a view",
    )  # fmt: skip
    parser.add_argument(
        "--valid", choices=VALID, default="mask",
        help="pixels that count: the view's own mask, or, as in the paper, the hull of its "
        "landmarks (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--limit", type=at_least(1), metavar="N", help="only the first N views (all)"
    )
    parser.add_argument(
        "--pictures", type=at_least(0), default=6, metavar="N",
        help="views in the figures, spread over all (%(default)s); NoW has none",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=at_least(0), default=0, metavar="N",
        help="of RANSAC and bootstrap; the numbers repeat (%(default)s)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    get_detector(args.detector)  # a wrong name is said before anything is read
    check_writable(args.output)
    if is_now(Path(args.source)):
        return run_now(args)
    views = open_views(args.source, args.valid, args.limit)
    methods = chosen_methods(args, views)
    with tqdm(total=len(views), unit="view", disable=None, leave=False) as bar:
        evaluation = evaluate(
            views, methods, seed=args.seed, pictures=args.pictures, on_view=bar.update
        )
    summary = summarize(evaluation, seed=args.seed)
    files = write_report(
        args.output,
        evaluation,
        summary,
        settings(args, views.kind, len(views)),
        figures(evaluation),
    )
    print(table(summary))
    print("\n" + "\n".join(f"{path}" for path in files))
    return DONE


def run_now(args: argparse.Namespace) -> int:
    """The evaluation of a folder of NoW."""
    from df2net_hub.evaluating.now_report import now_numbers, now_table, write_now_report
    from df2net_hub.evaluating.now_run import evaluate_now

    photos = now_photos(Path(args.source), args.limit)
    methods = now_methods(args, photos)
    with tqdm(total=len(photos), unit="photo", disable=None, leave=False) as bar:
        evaluation = evaluate_now(photos, methods, on_photo=bar.update)
    numbers = now_numbers(evaluation, args.seed)
    known = settings(args, "NoW", len(photos))
    files = write_now_report(args.output, evaluation, numbers, known)
    print(markdown_table(now_table(numbers["all"])))
    print("\n" + "\n".join(f"{path}" for path in files))
    return DONE


def now_methods(args: argparse.Namespace, photos: list[NowPhoto]) -> "list[NowMethod]":
    """What the flags ask to judge on NoW, in the order of the table.

    Raises:
        LookupError: scipy is not installed.
        ValueError: --no-model with nothing else, a --maps that is no NAME=FOLDER, or --valid.
    """
    if find_spec("scipy") is None:
        raise LookupError("scipy is not installed: pip install 'df2net_hub[train]'")
    from df2net_hub.evaluating.now_methods import NowMeanHead, NowMeshes, NowStages

    check_choice(args)
    if args.valid != "mask":
        raise ValueError("--valid chooses pixels, and NoW compares surfaces; leave it out")
    meshes = [NowMeshes.open(*split_maps(one), photos) for one in args.maps]
    methods: list[NowMethod] = []
    if args.head:
        methods.append(NowMeanHead(load_morphable(args.head)))
    if not args.no_model:
        pipe = DF2NetPipeline.from_pretrained(args.model).to(usable_device(args.device))
        methods.append(NowStages(pipe, args.detector))
    return [*methods, *meshes]


def check_choice(args: argparse.Namespace) -> None:
    """Raise ValueError where the flags leave nothing to judge or contradict each other."""
    if args.no_model and not (args.maps or args.head):
        raise ValueError("--no-model leaves nothing to judge; give --maps NAME=FOLDER or --head")
    if args.no_model and args.model:
        raise ValueError("--model and --no-model exclude each other; leave one out")
    names = [split_maps(one)[0] for one in args.maps]
    if len(set(names)) < len(names):
        raise ValueError("two --maps have one name; give each method its own")


def chosen_methods(args: argparse.Namespace, views: Views) -> list[Method]:
    """What the flags ask to judge, in the order of the tables.

    Raises:
        ValueError: --no-model with nothing else, or a --maps that is no NAME=FOLDER.
    """
    check_choice(args)
    maps = [Maps.open(*split_maps(one), views.names) for one in args.maps]
    methods: list[Method] = []
    if args.head:
        need_extras("numba")
        from df2net_hub.evaluating.mean_face import MeanFace

        methods.append(MeanFace(load_morphable(args.head)))
    if args.no_model:
        return [plane, *methods, *maps]
    pipe = DF2NetPipeline.from_pretrained(args.model).to(usable_device(args.device))
    return [*methods, Stages(pipe, args.detector), *maps]


def split_maps(text: str) -> tuple[str, Path]:
    """Name and folder of NAME=FOLDER."""
    name, sign, folder = text.partition("=")
    if not (name and sign and folder):
        raise ValueError(f"--maps wants NAME=FOLDER, such as prnet=PRNET_DEPTH, got {text!r}")
    if name in OWN_ROWS:
        raise ValueError(f"--maps {text}: {name!r} is a row of the report already; name it anew")
    return name, Path(folder)


def settings(args: argparse.Namespace, kind: str, count: int) -> dict[str, Any]:
    """What the numbers depend on, without the paths of this machine."""
    source = Path(args.source).name if Path(args.source).exists() else args.source
    words = ["df2net", "evaluate", source]
    for option in ("model", "head"):
        if getattr(args, option):
            words += [f"--{option}", option.upper()]
    words += ["--no-model"] * args.no_model
    for one in args.maps:
        words += ["--maps", f"{one.partition('=')[0]}=FOLDER"]
    words += [] if args.valid == "mask" else ["--valid", args.valid]
    words += [] if args.limit is None else ["--limit", str(args.limit)]
    words += [] if args.detector == DETECTOR else ["--detector", args.detector]
    words += [] if args.seed == 0 else ["--seed", str(args.seed)]
    return {
        "source": source,
        "kind": kind,
        "views": count,
        "model": None if args.no_model else weights_mark(args.model),
        "detector": args.detector if kind != "pairs" else "none",
        "valid": args.valid,
        "seed": args.seed,
        "command": shlex.join(words),
    }


def table(summary: Summary) -> str:
    """The means as lines of a Markdown table."""
    heads = ["method", "found", *(MEASURES[name][0] for name in SHOWN)]
    rows = [heads]
    for name, one in summary.methods.items():
        cells = [f"{one.means[measure].mean:.2f}" if one.means else "-" for measure in SHOWN]
        rows.append([name, f"{one.found} of {one.views}", *cells])
    return markdown_table(rows)


def markdown_table(rows: list[list[str]]) -> str:
    """Rows, their head first, as lines of Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
