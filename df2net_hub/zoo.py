"""The table that `df2net models` prints: what each model costs and where its weights are."""

import json
import textwrap
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from df2net_hub.geometry import CROP_SIZE
from df2net_hub.registry import ModelEntry, create_model, list_models, model_entry

WEIGHTS = Path(str(files("df2net_hub"))) / "weights"
COLUMNS = 120  # of the terminal that the table is made for


@dataclass(frozen=True)
class ZooRow:
    """One model of the table."""

    name: str
    slot: str
    parameters: int
    gflops: float  # of one face, a crop of 512 x 512; a multiplication and an addition are two
    megabytes: float  # of the weights: the bundled files, or as float32
    license: str
    weights: str  # "bundled", the hub repository, or "none"


def zoo_rows() -> tuple[list[ZooRow], dict[str, str]]:
    """The models by name, and of those that do not load what went wrong."""
    rows, broken = [], {}
    bundled = _bundled_bytes()
    for name in list_models():
        try:
            rows.append(_row(model_entry(name), bundled.get(name)))
        except Exception as error:  # a plugin's own code, which must not hide the other models
            broken[name] = f"{type(error).__name__}: {error}"
    return rows, broken


def zoo_table() -> str:
    """The models as a table in plain text, those that do not load below it."""
    rows, broken = zoo_rows()
    cells = [("name", "slot", "parameters", "GFLOPs/face", "size [MB]", "license", "weights")] + [
        (
            *(row.name, row.slot, f"{row.parameters:,}", f"{row.gflops:.1f}"),
            *(f"{row.megabytes:.1f}", row.license, row.weights),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    is_number = (False, False, True, True, True, False, False)
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in cells
    ]
    for name, problem in broken.items():
        lines += textwrap.wrap(f"{name} does not load: {problem}", COLUMNS, subsequent_indent="  ")
    return "\n".join(lines)


def _row(entry: ModelEntry, bundled: int | None) -> ZooRow:
    # Shapes without numbers: nothing is computed. (On the meta device autocast is an error.)
    with FakeTensorMode(), FlopCounterMode(display=False) as counter, torch.no_grad():
        model = create_model(entry.name).eval()
        photo = torch.empty(1, 3, CROP_SIZE, CROP_SIZE)
        depth = torch.empty(1, 1, CROP_SIZE, CROP_SIZE)
        model(*((photo, depth) if entry.slot in ("fine", "finer") else (photo,)))
    stored = sum(value.nbytes for value in model.state_dict().values())
    return ZooRow(
        name=entry.name,
        slot=entry.slot,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        gflops=counter.get_total_flops() / 1e9,
        megabytes=(bundled or stored) / 1e6,
        license=entry.license,
        weights="bundled" if bundled else entry.hub_id or "none",
    )


def _bundled_bytes() -> dict[str, int]:
    """Model name -> size of its weights in the package; a folder's name has dashes for `_`."""
    sizes: dict[str, int] = {}
    for index in WEIGHTS.glob("*/model_index.json"):
        names = json.loads(index.read_text(encoding="utf-8"))
        cascade = index.parent.name.replace("-", "_")
        sizes[cascade] = 0
        for path in index.parent.glob("*/model.safetensors"):
            sizes[names[path.parent.name]] = path.stat().st_size
            sizes[cascade] += path.stat().st_size
    for path in WEIGHTS.glob("*/model.safetensors"):  # networks that are no part of a cascade
        sizes[path.parent.name.replace("-", "_")] = path.stat().st_size
    return sizes
