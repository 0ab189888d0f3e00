"""From a folder or a set of the Hub to its views: which of the layouts it is."""

from importlib.util import find_spec
from pathlib import Path

from df2net_hub.evaluating.views import Views, npz_views, pair_views

FACESCAPE = "Rt_scale_dict.json"  # lies in the folders of FaceScape alone
BU3DFE = "*/*_F3D.wrl"


def open_views(source: str, valid: str = "mask", limit: int | None = None) -> Views:
    """Views of a folder of `.npz` files, FaceScape, BU-3DFE or pairs, or of a set of the Hub.

    Args:
        source: the folder, or "owner/name".
        valid: "mask", the view's own, or "landmarks", the outline of its 68 landmarks.
        limit: take the first so many only.

    Raises:
        FileNotFoundError: there is nothing of any kind.
        LookupError: what draws scans, or reads sets, is not installed.
        ValueError: a set without columns of the schema, a JSON file that will not do.
    """
    folder = Path(source)
    if not folder.is_dir():
        if folder.exists() or source.count("/") != 1:
            raise FileNotFoundError(
                f"no folder {source!r} of .npz views or of pairs, and no set of the Hub either, "
                "which has the form owner/name"
            )
    elif (folder / FACESCAPE).is_file():
        _need("numba")
        from df2net_hub.evaluating.facescape import facescape_views

        return facescape_views(folder, valid, limit)
    elif next(folder.glob(BU3DFE), None):
        _need("numba")
        from df2net_hub.evaluating.bu3dfe import bu3dfe_views

        return bu3dfe_views(folder, valid, limit)
    elif len(views := npz_views(folder, valid, limit)):
        return views
    elif not any(folder.glob("**/*.parquet")):
        raise FileNotFoundError(
            f"{folder} holds neither .npz views nor .parquet shards of pairs; "
            "docs/evaluation.md shows what can be evaluated"
        )
    _need("datasets")
    return pair_views(source, valid, limit)


def _need(name: str) -> None:
    if find_spec(name) is None:
        raise LookupError(f"{name} is not installed: pip install 'df2net_hub[train]'")
