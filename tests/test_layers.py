"""A file imports only from lower layers, and a heavy library stays at home."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The layers of the project, lowest first. A file may import from the rows above its own row only.
LAYERS = [
    "df2net_hub/geometry df2net_hub/shading df2net_hub/registry df2net_hub/photos df2net_hub/srgb"
    " df2net_hub/similarity df2net_hub/outline df2net_hub/synthesis/lids",
    "df2net_hub/model_card df2net_hub/augment df2net_hub/demo_photo modeling/hypercolumn",
    "df2net_hub/mesh df2net_hub/faces df2net_hub/pairs df2net_hub/losses df2net_hub/evaluation",
    "df2net_hub/face_pose df2net_hub/photo_scores df2net_hub/albedo_losses",
    "df2net_hub/released_shading",
    "df2net_hub/set_manifest df2net_hub/row_workers df2net_hub/contact_sheet",
    "df2net_hub/shards df2net_hub/set_contents",
    "df2net_hub/pair_card modeling/working_size",
    "modeling/base df2net_hub/synthesis/morphable df2net_hub/synthesis/raster",
    "df2net_hub/synthesis/asset_folder df2net_hub/synthesis/sculpted",
    "df2net_hub/assets/obj_files df2net_hub/assets/warp df2net_hub/assets/surface",
    "df2net_hub/assets/build_head df2net_hub/assets/landmarks_file df2net_hub/assets/register"
    " df2net_hub/assets/corners",
    "df2net_hub/assets/*",
    "df2net_hub/assets/convert_head",
    "df2net_hub/importing/surface df2net_hub/teacher_checks",
    "df2net_hub/importing/mesh_files df2net_hub/importing/frontal df2net_hub/importing/depth_maps",
    "df2net_hub/importing/image_meshes df2net_hub/importing/cameras df2net_hub/importing/inputs",
    "df2net_hub/importing/prnet df2net_hub/importing/tddfa df2net_hub/importing/extreme3d",
    "df2net_hub/importing/projection",
    "df2net_hub/synthesis/appearance df2net_hub/synthesis/light df2net_hub/synthesis/procedural",
    "df2net_hub/synthesis/recipe df2net_hub/synthesis/streams df2net_hub/synthesis/strands"
    " df2net_hub/synthesis/forms",
    "df2net_hub/synthesis/face_map df2net_hub/synthesis/expressions df2net_hub/synthesis/backdrop"
    " df2net_hub/synthesis/curtains",
    "modeling/residual_unet",
    "df2net_hub/export df2net_hub/preview modeling/dnet modeling/fnet modeling/frnet"
    " modeling/dnet_residual",
    "modeling/fnet_residual",
    "modeling/frnet_residual",
    "df2net_hub/synthesis/hair df2net_hub/synthesis/wrinkles df2net_hub/synthesis/cavities"
    " df2net_hub/synthesis/lips df2net_hub/synthesis/eyes"
    " df2net_hub/result modeling/cascade",
    "df2net_hub/synthesis/surface df2net_hub/synthesis/shadows df2net_hub/synthesis/open_sky",
    "df2net_hub/synthesis/paint df2net_hub/synthesis/shade",
    "df2net_hub/synthesis/cover",
    "modeling/albedonet df2net_hub/averaging modeling/dnet_timm",
    "df2net_hub/synthesis/occluders df2net_hub/synthesis/glasses",
    "df2net_hub/synthesis/skin df2net_hub/synthesis/brows df2net_hub/synthesis/lashes",
    "df2net_hub/synthesis/overlay",
    "df2net_hub/synthesis/person df2net_hub/synthesis/beard",
    "df2net_hub/synthesis/render modeling/convert df2net_hub/zoo",
    "df2net_hub/synthesis/camera df2net_hub/synthesis/plain_photo pipelines/face_mask",
    "pipelines/neck pipelines/upright",
    "df2net_hub/synthesis/sampling pipelines/df2net df2net_hub/importing/squares"
    " df2net_hub/turned_photos",
    "df2net_hub/synthesis/make_pairs df2net_hub/__init__ df2net_hub/batch df2net_hub/teacher",
    "df2net_hub/evaluating/landmarks df2net_hub/evaluating/traits df2net_hub/evaluating/bootstrap",
    "df2net_hub/evaluating/parts df2net_hub/evaluating/mean_error",
    "df2net_hub/evaluating/views",
    "df2net_hub/evaluating/methods df2net_hub/evaluating/facescape df2net_hub/evaluating/bu3dfe",
    "df2net_hub/evaluating/mean_face df2net_hub/evaluating/run df2net_hub/evaluating/sources",
    "df2net_hub/evaluating/figures df2net_hub/evaluating/summary",
    "df2net_hub/evaluating/report",
    "df2net_hub/evaluating/scan_distance",
    "df2net_hub/evaluating/now",
    "df2net_hub/evaluating/now_methods",
    "df2net_hub/evaluating/now_run",
    "df2net_hub/evaluating/now_report",
    "df2net_hub/training/presets df2net_hub/training/order df2net_hub/training/rows",
    "df2net_hub/training/config df2net_hub/training/stream df2net_hub/training/batch_norm"
    " df2net_hub/training/windows df2net_hub/training/disturb df2net_hub/training/precise_norms",
    "df2net_hub/training/objectives df2net_hub/training/loader df2net_hub/training/schedule",
    "df2net_hub/training/stage df2net_hub/training/pictures df2net_hub/training/checkpoints",
    "df2net_hub/training/validation df2net_hub/training/monitor df2net_hub/training/export",
    "df2net_hub/training/loop",
    "df2net_hub/training/run",
    "df2net_hub/assets/creases",
    "df2net_hub/photo_source df2net_hub/photo_albedo df2net_hub/assets/photo_skins",
    "df2net_hub/photo_pairs df2net_hub/importing/reconstructed",
    "df2net_hub/commands/set_arguments",
    "df2net_hub/commands/*",
    "df2net_hub/commands/demo df2net_hub/commands/import_pairs",
    "df2net_hub/commands/evaluate",
    "df2net_hub/cli scripts/* spaces/*",
]
LAYER_OF = {name: layer for layer, names in enumerate(LAYERS) for name in names.split()}

HEAVY = {  # library -> the files that may import it
    "accelerate": [f"df2net_hub/training/{name}" for name in ("loader", "loop", "run")],
    "datasets": ["df2net_hub/pairs"],
    "filelock": ["df2net_hub/shards"],
    "gradio": ["spaces/app"],
    "pyarrow": ["df2net_hub/pairs", "df2net_hub/training/stream"],
    "numba": [
        "df2net_hub/synthesis/raster",
        "df2net_hub/synthesis/strands",
        "df2net_hub/synthesis/surface",
        "df2net_hub/synthesis/shadows",
        "df2net_hub/synthesis/open_sky",
        "df2net_hub/synthesis/paint",
        "df2net_hub/synthesis/shade",
        "df2net_hub/synthesis/cover",
        "df2net_hub/synthesis/camera",
    ],
    "h5py": ["df2net_hub/assets/basel"],
    "scipy": [
        "df2net_hub/assets/photo_skins",
        "df2net_hub/evaluating/scan_distance",
        *(
            f"df2net_hub/assets/{name}"
            for name in ("basel", "build_head", "corners", "register", "skins", "surface", "warp")
        ),
    ],
    "timm": ["modeling/dnet_timm"],
}

FILES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix()
    for folder in ("df2net_hub", "modeling", "pipelines", "scripts", "spaces")
    for path in (ROOT / folder).rglob("*.py")
)
# The __init__ of an inner folder is a name for the folder, not a layer: it may import nothing.
FOLDER_NAMES = [name for name in FILES if name.endswith("__init__") and name not in LAYER_OF]


def layer_of(name: str) -> int | None:
    return LAYER_OF.get(name, LAYER_OF.get(f"{name.rpartition('/')[0]}/*"))


def imported_modules(source: str) -> Iterator[str]:
    """Every absolute module name that the source imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_files(source: str) -> set[str]:
    """The files of this project that the source imports, as names of LAYERS."""
    names = set()
    for module in imported_modules(source):
        if module == "df2net_hub":
            names.add("df2net_hub/__init__")
        path = module.replace(".", "/").replace("df2net_hub/modeling", "modeling")
        path = path.replace("df2net_hub/pipelines", "pipelines")
        names.update({path} & set(FILES))
    return names


@pytest.mark.parametrize("name", [name for name in FILES if name not in FOLDER_NAMES])
def test_a_file_imports_only_from_lower_layers(name: str) -> None:
    layer = layer_of(name)
    assert layer is not None, f"{name} is in no layer: give it a row in LAYERS of this test"
    for imported in own_files((ROOT / f"{name}.py").read_text()):
        below = layer_of(imported)
        assert below is not None and below < layer, f"{name} (layer {layer}) imports {imported}"


@pytest.mark.parametrize("name", FILES)
def test_a_heavy_library_is_imported_at_home_only(name: str) -> None:
    for module in imported_modules((ROOT / f"{name}.py").read_text()):
        homes = HEAVY.get(module.partition(".")[0], [name])
        assert name in homes, f"{name} imports {module}, which belongs into {', '.join(homes)}"


def test_the_import_finder_sees_every_form() -> None:
    source = "import df2net_hub.geometry\ndef f():\n    from df2net_hub.cli import main\n"
    assert own_files(source) == {"df2net_hub/cli"} | ({"df2net_hub/geometry"} & set(FILES))
    assert own_files("from df2net_hub import __version__") == {"df2net_hub/__init__"}
