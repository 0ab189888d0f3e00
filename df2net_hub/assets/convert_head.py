"""Any morphable model that is known -> `MorphableModel`, by what its file is."""

from collections.abc import Callable
from pathlib import Path

from df2net_hub.assets.basel import HDF5_SIGNATURE, read_basel_2009, read_basel_h5
from df2net_hub.assets.flame import read_flame, refuse_pickle
from df2net_hub.assets.ict_facekit import NEUTRAL, model_folder, read_ict_facekit
from df2net_hub.synthesis.morphable import MorphableModel, load_morphable, read_npz

KINDS = ("ict", "bfm2009", "bfm2017", "flame", "npz")


def detect_kind(source: Path) -> str:
    """One of `KINDS`, from what the file or folder holds, not from its name.

    Raises:
        FileNotFoundError: there is nothing at `source`.
        ValueError: a pickle, or none of the known kinds.
    """
    if not source.exists():
        raise FileNotFoundError(f"nothing at {source}")
    if source.is_dir():
        if model_folder(source):
            return "ict"
        raise ValueError(
            f"{source} is no folder of ICT-FaceKit: it holds no {NEUTRAL}. Name its repository or "
            "FaceXModel in it, or the file of another model"
        )
    with open(source, "rb") as file:
        head = file.read(128)
    if head[:4] == HDF5_SIGNATURE:
        return "bfm2017"
    if head.startswith(b"MATLAB"):
        return "bfm2009"
    if head[:2] == b"PK":
        names = set(read_npz(source))
        for kind, array in (("flame", "v_template"), ("npz", "vertices")):
            if array in names:
                return kind
        raise ValueError(f"{source} is an .npz of no known kind; its arrays: {sorted(names)}")
    refuse_pickle(source)
    raise ValueError(
        f"{source} is no morphable model that is known; accepted are ICT-FaceKit's folder, Basel's "
        ".mat (2009) or .h5 (2017, 2019), FLAME as a plain .npz, and the .npz of docs/assets.md"
    )


def convert_head(
    kind: str,
    source: Path,
    landmarks: Path | None = None,
    embedding: Path | None = None,
    on_file: Callable[[], object] = lambda: None,
) -> MorphableModel:
    """Read `source` as one of `KINDS`.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is damaged, or landmarks are needed and none are named.
    """
    if kind == "ict":
        return read_ict_facekit(source, on_file)
    if kind == "bfm2009":
        if landmarks is None:
            raise ValueError(
                f"{source} holds no landmarks: name a table with --landmarks (CSV, header "
                "landmark,vertex; docs/assets.md says which are needed)"
            )
        return read_basel_2009(source, landmarks)
    if kind == "bfm2017":
        return read_basel_h5(source, landmarks)
    if kind == "flame":
        return read_flame(source, embedding, landmarks)
    return load_morphable(source)
