"""Photos that were reconstructed already become training pairs, the paper's second kind (Sec. 3.2).

SOURCE holds what another method wrote (--from prnet, extreme3d, 3ddfa), meshes with a stated camera
(mesh), depth maps (depth), or photos for our own pipeline to reconstruct and to judge (teacher).
docs/import.md shows each layout. An input that fails is rejected with a reason and counted. Kill it
at any time: the same command goes on where it stopped.
"""

import argparse
import hashlib
import json
import shlex
from collections import defaultdict
from pathlib import Path
from typing import Any

from df2net_hub.commands.set_arguments import (
    add_set_arguments,
    at_least,
    need_extras,
    write_with_progress,
)
from df2net_hub.faces import DETECTOR, get_detector
from df2net_hub.pair_card import TEACHER

EXAMPLES = """\
  df2net import-pairs PRNET_OUT --from prnet --reference canonical_vertices.npy -o pairs
  df2net import-pairs EXTREME3D_OUT --from extreme3d -o pairs
  df2net import-pairs 3DDFA_OUT --photos PHOTOS --from 3ddfa --view photo -o pairs
  df2net import-pairs MESHES --from mesh -o pairs                      NAME.glb, NAME.json, NAME.jpg
  df2net import-pairs MAPS --from depth --depth unit.json -o pairs     NAME_depth.png, NAME.jpg
  df2net import-pairs PHOTOS --from teacher -o taught --workers 4
  df2net import-pairs PHOTOS --from teacher --turns 6 --assets DATA -o turned
  df2net import-pairs PHOTOS --from teacher --limit most_flip_px=2.5 -o strict
"""

LAYOUTS = ("prnet", "extreme3d", "3ddfa", "mesh", "depth")
NAMES_SHOWN = 3  # of the photos that were rejected for a reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="folder with meshes, depth maps or photos")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the shards go")
    parser.add_argument(
        "--from", dest="layout", choices=(*LAYOUTS, TEACHER), required=True, help="who made it"
    )
    parser.add_argument("--photos", type=Path, help="folder with the photos (SOURCE)")
    parser.add_argument(
        "--view",
        choices=("frontal", "photo"),
        help="turned to the front, as in the paper (meshes), or the photo's own view (the others)",
    )
    parser.add_argument(
        "--reference", help="frontal mesh of the same vertices: mesh file, or PRNet's .npy"
    )
    parser.add_argument(
        "--vertices", help="text or .npy: the vertices of every mesh that are face, from 0"
    )
    parser.add_argument("--camera", help="JSON, or a file of it: the camera of every mesh")
    parser.add_argument("--depth", help="JSON, or a file of it: unit and sign of depth maps")
    parser.add_argument(
        "--detector", default=DETECTOR, help="dlib, none, or a plugin's name (dlib)"
    )
    parser.add_argument("--model", help="teacher: pipeline folder, or owner/name (bundled)")
    parser.add_argument("--device", default="cpu", help="teacher: cpu, cuda ... (%(default)s)")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="teacher: a check's limit; docs/import.md lists them",
    )
    parser.add_argument(
        "--turns",
        type=at_least(0),
        default=0,
        metavar="N",
        help="teacher: N more pairs of each photo, from other sides, in other light (%(default)s)",
    )
    parser.add_argument(
        "--assets", type=Path, help="teacher: folder with panoramas to light them (plain skies)"
    )
    parser.add_argument(
        "--license", help="of the set, for its card: an identifier of the Hub such as cc0-1.0"
    )
    add_set_arguments(parser, seed=True)


def run(args: argparse.Namespace) -> int:
    need_extras("numba")
    get_detector(args.detector)  # a wrong name is said before anything is read
    refuse_what_does_not_belong(args)
    maker, names, recipe = (taught if args.layout == TEACHER else imported)(args)
    recipe |= {"inputs": digest(names), "command": command(args)}
    if args.license:
        recipe["license"] = args.license
    status = write_with_progress(
        args, args.output, args.layout, maker, len(names), recipe, unit="photo"
    )
    rejected = rejected_names(args.output, args.layout, names)
    for reason, inputs in rejected.items():
        some = list(dict.fromkeys(inputs))  # a photo and its turns share a name
        more = f" and {len(some) - NAMES_SHOWN} more" if len(some) > NAMES_SHOWN else ""
        print(f"  {reason}: {', '.join(some[:NAMES_SHOWN])}{more}")
    if sum(map(len, rejected.values())) == len(names):
        raise ValueError(
            f"not one of {len(set(names))} photos gave a pair; the reasons stand above"
        )
    return status


def command(args: argparse.Namespace) -> str:
    """The command for the card, without the paths of this machine."""
    words = ["df2net", "import-pairs", "SOURCE", "--from", args.layout, "--size", str(args.size)]
    for option in ("view", "photos", "reference", "vertices", "camera", "depth", "model"):
        if getattr(args, option):
            words += [f"--{option}", args.view if option == "view" else option.upper()]
    if args.turns:
        words += ["--turns", str(args.turns), "--seed", str(args.seed)]
        words += ["--assets", "DATA"] if args.assets else []
    words += [] if args.detector == DETECTOR else ["--detector", args.detector]
    for limit in args.limit:
        words += ["--limit", limit]
    return shlex.join(words)


def refuse_what_does_not_belong(args: argparse.Namespace) -> None:
    """Raise ValueError for an option that the layout would ignore."""
    belongs = {
        "photos": LAYOUTS,
        "view": LAYOUTS,
        "reference": ("prnet", "3ddfa", "mesh"),
        "vertices": ("prnet", "3ddfa", "mesh"),
        "camera": ("mesh",),
        "depth": ("depth",),
        "model": (TEACHER,),
        "turns": (TEACHER,),
        "assets": (TEACHER,),
        "seed": (TEACHER,),
        "limit": (TEACHER,),
    }
    for option, layouts in belongs.items():
        if getattr(args, option) and args.layout not in layouts:
            raise ValueError(f"--{option} is for --from {', '.join(layouts)}, not {args.layout}")
    for option in ("assets", "seed"):
        if getattr(args, option) and args.layout == TEACHER and not args.turns:
            raise ValueError(f"--{option} is for photos that are turned: give --turns N as well")


def imported(args: argparse.Namespace) -> tuple[Any, list[str], dict[str, Any]]:
    """Maker, names and recipe of what another method reconstructed."""
    from df2net_hub.importing.inputs import find_inputs
    from df2net_hub.importing.reconstructed import ReconstructedPairs

    inputs = find_inputs(args.layout, args.source, args.photos)
    maker = ReconstructedPairs(
        args.layout,
        inputs,
        view=args.view or ("photo" if args.layout == "depth" else "frontal"),
        size=args.size,
        detector=args.detector,
        vertices=args.vertices,
        reference=args.reference,
        camera=args.camera,
        depth=args.depth,
    )
    recipe = {"made_by": args.layout, "view": maker.view, "size": args.size}
    for name in ("vertices", "reference", "camera", "depth"):
        recipe[name] = content(getattr(args, name))
    return maker, [one.name for one in inputs], {**recipe, "detector": args.detector}


def taught(args: argparse.Namespace) -> tuple[Any, list[str], dict[str, Any]]:
    """Maker, names and recipe of our own pipeline's pairs."""
    from dataclasses import asdict

    from df2net_hub.batch import find_photos, output_stems
    from df2net_hub.commands.reconstruct import usable_device
    from df2net_hub.set_manifest import weights_mark
    from df2net_hub.teacher import TaughtPairs
    from df2net_hub.teacher_checks import limits_from

    if not args.source.is_dir():
        raise FileNotFoundError(f"no folder {args.source}; a teacher is given a folder of photos")
    photos = find_photos([str(args.source)])
    names = output_stems(photos)
    limits = limits_from(args.limit)
    usable_device(args.device)
    maker = TaughtPairs(
        tuple(map(str, photos)),
        tuple(names),
        model=args.model,
        detector=args.detector,
        device=args.device,
        size=args.size,
        limits=limits,
        turns=args.turns,
        assets=None if args.assets is None else str(args.assets),
        seed=args.seed,
    )
    recipe = {
        "made_by": TEACHER,
        "model": weights_mark(args.model),
        "size": args.size,
        "detector": args.detector,
        "limits": asdict(limits),
    }
    if args.turns:
        recipe |= {"turns": args.turns, "seed": args.seed}
        recipe["light"] = "plain skies" if args.assets is None else "panoramas"
    return maker, [name for name in names for _ in range(1 + args.turns)], recipe


def content(option: str | None) -> str | None:
    """What an option says: its JSON, or a digest of the file it names. Paths are no recipe."""
    if option is None or option.lstrip().startswith("{"):
        return option
    return f"sha256:{hashlib.sha256(Path(option).read_bytes()).hexdigest()[:16]}"


def digest(names: list[str]) -> str:
    """Tells one list of inputs from another: inputs are numbered in its order."""
    return f"sha256:{hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]}"


def rejected_names(folder: Path, layout: str, names: list[str]) -> dict[str, list[str]]:
    """Reason -> names of the inputs that were rejected for it, as the set's files say."""
    from df2net_hub.set_manifest import Manifest, rejected_file

    found: dict[str, list[str]] = defaultdict(list)
    for number in range(Manifest.read(folder / f"{layout}.json").num_shards):
        path = rejected_file(folder, layout, number)
        for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
            entry = json.loads(line)
            found[entry["reason"]].append(names[entry["index"]])
    return found
