"""Get the ingredients of rendered pairs ready: a morphable head, skins, light; and check them.

docs/assets.md says where each is to be had and under which license. All of it goes into one folder
DATA, which `df2net synthesize --assets DATA` reads:
  DATA/head.npz                 from `df2net assets head`
  DATA/skins/*.jpg              from `df2net assets skins`
  DATA/light/environments.npz   from `df2net assets light`, with DATA/light/backgrounds/*.jpg
  DATA/sculpted.npz             from `df2net assets sculpted`, heads of another making (optional)
  DATA/photo_skins/*.jpg        from `df2net assets photo-skins`, skins of photographs (optional)
  DATA/LICENSES.txt             a line of each of them, for the card of what is rendered
"""

import argparse
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from tqdm import tqdm

from df2net_hub.assets.convert_head import KINDS, convert_head, detect_kind
from df2net_hub.assets.licenses import MAKEHUMAN, MODELS, state_license
from df2net_hub.commands import DONE, FAILED
from df2net_hub.shards import NO_SPACE
from df2net_hub.synthesis.asset_folder import LICENSES

EXAMPLES = """\
  df2net assets head ICT-FaceKit -o DATA
  df2net assets head 01_MorphableModel.mat --landmarks bfm2009.csv -o DATA
  df2net assets head flame.npz --embedding embedding.npz -o DATA
  df2net assets skins base.obj skins/*.png -o DATA
  df2net assets sculpted mpfb2 -o DATA
  df2net assets photo-skins portraits/ --points points.npz -o DATA
  df2net assets light hdris/ -o DATA --license "CC0 1.0, polyhaven.com"
  df2net assets check DATA
"""
SHIPPED_MATCHES = Path(__file__).parent.parent / "assets" / "makehuman_to_ict.csv"
SHIPPED_POINTS = SHIPPED_MATCHES.with_name("mediapipe_to_ict.csv")
SHIPPED_SIZES = (19158, 26719)  # vertices of MakeHuman's base.obj and of ICT-FaceKit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="job", required=True, metavar="JOB")
    head = verbs.add_parser("head", help="convert a morphable model", description=_head.__doc__)
    head.add_argument("source", type=Path, help="folder or file of the model")
    head.add_argument("-o", "--output", type=Path, required=True, metavar="DATA")
    head.add_argument("--kind", choices=KINDS, help="what SOURCE is (default: found out)")
    head.add_argument(
        "--landmarks", type=Path, help="CSV `landmark,vertex`: Basel and FLAME, where they lack any"
    )
    head.add_argument("--embedding", type=Path, help="FLAME's landmark embedding (.npz)")
    _add_license(head)
    head.set_defaults(do=_head)
    skins = verbs.add_parser(
        "skins", help="textures of another head into the layout", description=_skins.__doc__
    )
    skins.add_argument("mesh", type=Path, help="OBJ of the other head, with texture coordinates")
    skins.add_argument("textures", type=Path, nargs="+", help="pictures in that head's layout")
    skins.add_argument("-o", "--output", type=Path, required=True, metavar="DATA")
    _add_matches(skins)
    skins.add_argument("--group", help="use only the faces below this `g` of the OBJ")
    _add_license(skins)
    skins.set_defaults(do=_skins)
    sculpted = verbs.add_parser(
        "sculpted", help="MakeHuman's people beside the model's", description=_sculpted.__doc__
    )
    sculpted.add_argument(
        "source", type=Path, help="checkout of MakeHuman or MPFB, or its folder `data`"
    )
    sculpted.add_argument("-o", "--output", type=Path, required=True, metavar="DATA")
    _add_matches(sculpted)
    _add_license(sculpted)
    sculpted.set_defaults(do=_sculpted)
    photo_skins = verbs.add_parser(
        "photo-skins", help="skins taken from photographs", description=_photo_skins.__doc__
    )
    photo_skins.add_argument("photos", type=Path, nargs="+", help="photos, or folders of them")
    photo_skins.add_argument(
        "--points",
        type=Path,
        required=True,
        metavar="NPZ",
        help="points of MediaPipe's face mesh in each photo, from scripts/face_points.py",
    )
    photo_skins.add_argument("-o", "--output", type=Path, required=True, metavar="DATA")
    photo_skins.add_argument(
        "--on-head",
        type=Path,
        metavar="CSV",
        help="where the points lie on the head: `point,a,b,c,share_a,share_b` (default: on "
        "ICT-FaceKit's)",
    )
    photo_skins.add_argument("--model", help="pipeline folder or hub id (default: the bundled one)")
    photo_skins.add_argument(
        "--most-smile",
        type=float,
        default=0.87,
        metavar="RATIO",
        help="refuse wider and more open mouths, over the distance between the outer eye corners "
        "(default: %(default)s)",
    )
    _add_license(photo_skins)
    photo_skins.set_defaults(do=_photo_skins)
    light = verbs.add_parser(
        "light", help="panoramas to light and backgrounds", description=_light.__doc__
    )
    light.add_argument("folder", type=Path, help="folder of .hdr panoramas, e.g. Poly Haven's")
    light.add_argument("-o", "--output", type=Path, required=True, metavar="DATA")
    _add_license(light)
    light.set_defaults(do=_light)
    check = verbs.add_parser("check", help="what is in DATA", description=_check.__doc__)
    check.add_argument("folder", type=Path, metavar="DATA")
    check.set_defaults(do=_check)


def _add_matches(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--matches",
        type=Path,
        help="CSV `source,target` of matched vertices (default: MakeHuman to ICT-FaceKit)",
    )


def _add_license(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--license",
        metavar="TEXT",
        help="license and owner, for DATA/LICENSES.txt (default: `not stated`, but for heads of "
        "ICT-FaceKit, Basel and MakeHuman, whose terms are known)",
    )


def run(args: argparse.Namespace) -> int:
    if args.job in ("head", "skins", "sculpted", "photo-skins"):
        _need("scipy", "numba")
    try:
        status: int = args.do(args)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise OSError(
                error.errno,
                f"no space in {args.output}: {error.strerror}. What was there is kept; make room, "
                "then give the same command again",
            ) from error
        raise
    return status


def _need(*modules: str) -> None:
    for name in modules:
        if find_spec(name) is None:
            raise ModuleNotFoundError(
                f"{name} is not installed: pip install 'df2net_hub[assets,train]'"
            )


def _head(args: argparse.Namespace) -> int:
    """Convert a morphable model to DATA/head.npz.

    Known: ICT-FaceKit's folder of OBJ files, Basel Face Model 2009 (.mat) and 2017/2019 (.h5),
    FLAME written to a plain .npz by the script in docs/assets.md, and a head.npz itself.
    """
    from df2net_hub.synthesis.asset_folder import HEAD
    from df2net_hub.synthesis.morphable import save_morphable

    kind = args.kind or detect_kind(args.source)
    if kind == "bfm2017":
        _need("h5py")
    with tqdm(unit="file", desc=f"reading {kind}") as bar:
        model = convert_head(kind, args.source, args.landmarks, args.embedding, bar.update)
    path = args.output / HEAD[0]
    save_morphable(model, path)
    modes = f"{len(model.identity)} identity modes, {len(model.expression)} expressions"
    colors = "no colors" if model.colors is None else "with colors"
    print(f"{path}: {len(model.vertices)} vertices, {modes}, {colors}")
    source, license = MODELS.get(kind, (args.source.resolve().name, None))
    _state(args.output, "head", source, args.license or license)
    return DONE


def _state(folder: Path, ingredient: str, source: str, license: str | None) -> None:
    line = state_license(folder, ingredient, source, license)
    print(f"{folder / LICENSES}: {line}")


def _skins(args: argparse.Namespace) -> int:
    """Bring textures of another head into the layout of DATA's morphable head.

    Matched vertices -> thin-plate warp -> nearest surface point that faces the same way ->
    resample. For MakeHuman's base.obj and ICT-FaceKit the matches come with this package.
    """
    from df2net_hub.assets.obj_files import read_obj
    from df2net_hub.assets.skins import HEIGHT, convert_skins, match_heads
    from df2net_hub.synthesis.asset_folder import SKINS, head_path
    from df2net_hub.synthesis.morphable import load_morphable

    model = load_morphable(head_path(args.output))
    for path in (args.mesh, *args.textures):  # before the minutes that matching takes
        if not path.is_file():
            raise FileNotFoundError(f"no file at {path}")
    source = read_obj(args.mesh, args.group or _body_group(args.mesh))
    matches = _matches(args.matches, len(source.vertices), len(model.vertices))
    with tqdm(total=2 * HEIGHT * HEIGHT, unit="texel", unit_scale=True, desc="matching") as bar:
        where = match_heads(model, source, matches, on_progress=bar.update)
        bar.total = bar.n  # texels outside the layout are not looked up
    share = where.found[where.covered].mean()
    print(f"{share:.1%} of the layout found; the rest is filled from its surroundings")
    with tqdm(total=len(args.textures), unit="skin") as bar:
        written, refused = convert_skins(
            args.textures, args.output / SKINS[0], where, lambda: bar.update()
        )
    for path, why in refused.items():
        print(f"left out: {path} {why}")
    print(f"{written} skins in {args.output / SKINS[0]}")
    if written:
        _state(args.output, "skins", f"textures of {args.mesh.name}", args.license)
    return FAILED if refused else DONE


def _sculpted(args: argparse.Namespace) -> int:
    """Bring MakeHuman's base mesh and the targets of its head to DATA's morphable head.

    Matched vertices -> thin-plate warp -> nearest surface points, made smooth -> DATA/sculpted.npz,
    of which `df2net synthesize` draws a part of its people. Matches come with this package.
    """
    from df2net_hub.assets.makehuman import convert_makehuman, makehuman_data, target_paths
    from df2net_hub.assets.obj_files import read_obj
    from df2net_hub.synthesis.asset_folder import head_path, sculpted_path
    from df2net_hub.synthesis.morphable import load_morphable
    from df2net_hub.synthesis.sculpted import save_sculpted

    model = load_morphable(head_path(args.output))
    data = makehuman_data(args.source)
    mesh = data / "3dobjs" / "base.obj"
    base = read_obj(mesh, _body_group(mesh))
    matches = _matches(args.matches, len(base.vertices), len(model.vertices))
    with tqdm(total=len(target_paths(data)), unit="target") as bar:
        heads = convert_makehuman(data, base, model, matches, lambda: bar.update())
    path = sculpted_path(args.output)
    save_sculpted(heads, path, model)
    print(f"{path}: a head with {len(heads.names)} targets")
    _state(args.output, "sculpted", "MakeHuman", args.license or MAKEHUMAN)
    return DONE


def _matches(path: Path | None, num_source: int, num_target: int) -> np.ndarray:
    from df2net_hub.assets.landmarks_file import read_matches

    if path is None and (num_source, num_target) != SHIPPED_SIZES:
        raise ValueError(
            f"the meshes have {num_source} and {num_target} vertices; the matches that come with "
            f"this package are for MakeHuman's base.obj ({SHIPPED_SIZES[0]}) and ICT-FaceKit "
            f"({SHIPPED_SIZES[1]}). Give a table with --matches; docs/assets.md says how to make it"
        )
    return read_matches(path or SHIPPED_MATCHES, num_source, num_target)


def _photo_skins(args: argparse.Namespace) -> int:
    """Take skins from photographs: DATA/photo_skins/NAME.jpg in the layout of DATA's head.

    Each photo shows one face from the front, without glasses and without a broad smile. It is
    reconstructed, its light is divided out, and what it does not show is carried over from the skin
    in DATA/skins that is nearest in tone. Skins that are there already are kept.
    """
    from df2net_hub.assets.landmarks_file import read_photo_points, read_points_on_head
    from df2net_hub.assets.photo_skins import convert_photos, front_of, painted_skins
    from df2net_hub.batch import find_photos
    from df2net_hub.pipelines.df2net import DF2NetPipeline
    from df2net_hub.synthesis.asset_folder import PHOTO_SKINS, head_path
    from df2net_hub.synthesis.morphable import load_morphable

    model = load_morphable(head_path(args.output))
    if args.on_head is None and len(model.vertices) != SHIPPED_SIZES[1]:
        raise ValueError(
            f"the head has {len(model.vertices)} vertices; the points that come with this package "
            f"are for ICT-FaceKit ({SHIPPED_SIZES[1]}). Give a table with --on-head; "
            "docs/assets.md says how it looks"
        )
    table = read_points_on_head(args.on_head or SHIPPED_POINTS, len(model.vertices))
    points = read_photo_points(args.points, len(table))
    paths = find_photos([str(path) for path in args.photos])
    pipe = DF2NetPipeline.from_pretrained(args.model)
    front = front_of(model, table)
    painted = painted_skins(args.output, front.face)
    folder = args.output / PHOTO_SKINS
    with tqdm(total=len(paths), unit="photo") as bar:
        written, refused = convert_photos(
            pipe, paths, points, front, painted, folder, args.most_smile, lambda: bar.update()
        )
    for path, why in refused.items():
        print(f"left out: {path}: {why}")
    print(f"{written} skins in {folder}")
    if written:
        _state(args.output, "photo_skins", f"photos of {args.points.stem}", args.license)
    return DONE if written else FAILED


def _light(args: argparse.Namespace) -> int:
    """Bring .hdr panoramas down to DATA/light/environments.npz and to backgrounds beside it."""
    from df2net_hub.assets.panoramas import convert_panoramas, panorama_paths
    from df2net_hub.synthesis.asset_folder import LIGHT

    paths = panorama_paths(args.folder)
    with tqdm(total=len(paths), unit="panorama") as bar:
        used, refused = convert_panoramas(paths, args.output / LIGHT[0], lambda: bar.update())
    for why in refused.values():
        print(f"left out: {why}")
    print(f"{used} environments in {args.output / LIGHT[0]}")
    _state(args.output, "light", f"panoramas of {args.folder.resolve().name}", args.license)
    return FAILED if refused else DONE


def _check(args: argparse.Namespace) -> int:
    """Load all that is in DATA and say what is there and what is missing."""
    from df2net_hub.assets.check import check_folder

    findings = check_folder(args.folder)
    for finding in findings:
        print(f"{'ok     ' if finding.good else 'MISSING'}  {finding.what:<12} {finding.seen}")
    return DONE if all(finding.good for finding in findings) else FAILED


def _body_group(mesh: Path) -> str | None:
    """MakeHuman's base.obj carries helper geometry around its group `body`."""
    with open(mesh, encoding="utf-8", errors="replace") as file:
        return "body" if any(line.rstrip() == "g body" for line in file) else None
