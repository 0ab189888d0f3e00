"""The table of models: what it counts, and that a broken plugin does not spoil it."""

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from df2net_hub import registry, zoo
from df2net_hub.modeling.base import StageModel
from df2net_hub.modeling.cascade import SLOTS, DF2Net, DF2NetConfig
from df2net_hub.modeling.dnet import DNet, DNetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig
from df2net_hub.registry import list_models, model_entry, register_model
from df2net_hub.zoo import WEIGHTS, ZooRow, zoo_rows, zoo_table

BUNDLED = WEIGHTS / "df2net-small"
needs_bundled = pytest.mark.skipif(not BUNDLED.is_dir(), reason="the bundled weights are not there")


@pytest.fixture(autouse=True)
def zoo_as_it_was() -> Iterator[None]:
    list_models()
    entries, path = dict(registry._entries), list(sys.path)
    yield
    sys.path[:] = path
    registry._entries.clear()
    registry._entries.update(entries)


@pytest.fixture
def few_models() -> None:
    """Only a tiny F-Net and D-Net, so that a table takes no time."""
    registry._entries.clear()
    register_model("fnet_toy", slot="fine", config=FNetConfig(width=1))(FNet)
    config = DNetConfig(width=2, levels=2, dropout=0.0)
    register_model("dnet_toy", slot="dense", config=config, hub_id="toys/dnet", license="MIT")(DNet)


@pytest.fixture
def broken_plugin(tmp_path: Path) -> str:
    """Offers a model; its import fails with a message of two lines."""
    (tmp_path / "cracked_box.py").write_text("raise OSError('no box,\\n' + 30 * 'nowhere ')\n")
    dist_info = tmp_path / "cracked_box-1.0.dist-info"
    dist_info.mkdir()
    (dist_info / "METADATA").write_text("Metadata-Version: 2.1\nName: cracked_box\nVersion: 1.0\n")
    (dist_info / "entry_points.txt").write_text("[df2net_hub.models]\ncracked = cracked_box:Box\n")
    sys.path.append(str(tmp_path))
    importlib.invalidate_caches()
    return "cracked"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the weights that come with the package."""
    monkeypatch.setattr(zoo, "WEIGHTS", tmp_path / "weights")
    return tmp_path / "weights"


def rows_by_name() -> dict[str, ZooRow]:
    rows, broken = zoo_rows()
    without_timm = set() if find_spec("timm") else {"dnet_timm"}
    assert broken.keys() <= without_timm
    assert all("timm is not installed: pip install" in told for told in broken.values())
    return {row.name: row for row in rows}


@pytest.fixture(scope="module")
def built_in() -> dict[str, ZooRow]:
    return rows_by_name()


def test_every_model_has_a_row_with_its_parameters(built_in: dict[str, ZooRow]) -> None:
    assert list(built_in) == [n for n in list_models() if n != "dnet_timm" or find_spec("timm")]
    counts = {name: row.parameters for name, row in built_in.items()}
    assert counts["dnet_base"] == 54_594_784
    assert counts["fnet_base"] == counts["frnet_plain"] == 133_785
    assert counts["frnet_base"] == 380_491
    assert counts["df2net_base"] == 54_594_784 + 133_785 + 380_491 == counts["df2net_release"]
    assert counts["df2net_stacked"] == counts["df2net_plain"] == 54_594_784 + 2 * 133_785


def test_a_cascade_costs_what_its_networks_cost(built_in: dict[str, ZooRow]) -> None:
    for name in list_models("cascade"):
        config = model_entry(name).config
        dense, fine, finer = (built_in[getattr(config, slot)] for slot in SLOTS)
        row, sides = built_in[name], 2 if config.mirror else 1
        once = len(config.zooms) * dense.gflops + fine.gflops + finer.gflops
        assert row.gflops == pytest.approx(sides * once)
        assert row.parameters == dense.parameters + fine.parameters + finer.parameters


def test_the_small_cascade_needs_less_than_a_quarter(built_in: dict[str, ZooRow]) -> None:
    assert built_in["df2net_small"].gflops < 0.25 * built_in["df2net_base"].gflops


def test_gflops_are_those_counted_by_hand(few_models: None) -> None:
    pixels = 512 * 512
    fuse, conv2 = 1 * 1 * 9 + 3 * 1 * 9, 2 * 2 * 9  # multiplications per pixel of their layer
    half, quarter = 2 * 4 * 4 * 9, 3 * 8 * 8 * 9
    head = 14 * 2 + 2 * 4 + 4 * 1
    of_fnet = pixels * (fuse + conv2 + half / 4 + quarter / 16 + head)

    encoder = 3 * 2 * 16 / 4 + 2 * 4 * 16 / 16  # 4x4 kernels; per pixel of their output
    decoder = 4 * 2 * 16 / 16 + 4 * 2 * 16 / 4  # transposed: per pixel of their input
    tail = 9 * (2 * 2 + 2 * 1 + 1 * 1)
    of_dnet = pixels * (encoder + decoder + tail)

    rows = rows_by_name()
    assert rows["fnet_toy"].gflops == pytest.approx(2 * of_fnet / 1e9)
    assert rows["dnet_toy"].gflops == pytest.approx(2 * of_dnet / 1e9)


def test_the_size_is_that_of_float32_where_no_weights_are_bundled(
    few_models: None, weights: Path
) -> None:
    row = rows_by_name()["fnet_toy"]
    assert row.megabytes == 4 * row.parameters / 1e6
    assert (row.weights, row.license) == ("none", "Apache-2.0")
    row = rows_by_name()["dnet_toy"]
    assert (row.weights, row.license) == ("toys/dnet", "MIT")


def test_the_size_of_bundled_weights_is_that_of_their_files(weights: Path) -> None:
    registry._entries.clear()
    small = {
        "dense": ("dnet_toy", DNet, DNetConfig(width=2, levels=2)),
        "fine": ("fnet_toy", FNet, FNetConfig(width=1)),
        "finer": ("frnet_toy", FrNet, FrNetConfig(width=1)),
    }
    for slot, (name, cls, config) in small.items():
        register_model(name, slot=slot, config=config)(cls)
    config = DF2NetConfig("dnet_toy", "fnet_toy", "frnet_toy")
    register_model("df2net_toy", slot="cascade", config=config)(DF2Net)
    DF2Net(config).to_folder(weights / "df2net-toy", dtype=torch.float16)

    rows = rows_by_name()
    assert {row.weights for row in rows.values()} == {"bundled"}
    for slot, (name, *_) in small.items():
        file = weights / "df2net-toy" / slot / "model.safetensors"
        assert rows[name].megabytes == file.stat().st_size / 1e6
    assert rows["df2net_toy"].megabytes == pytest.approx(
        sum(rows[name].megabytes for name, *_ in small.values())
    )


def test_the_table_lines_up_and_fits_into_120_columns(few_models: None, weights: Path) -> None:
    assert zoo_table().splitlines() == [
        "name      slot   parameters  GFLOPs/face  size [MB]  license     weights",
        "dnet_toy  dense         557          0.1        0.0  MIT         toys/dnet",
        "fnet_toy  fine        2,171          0.2        0.0  Apache-2.0  none",
    ]


def test_a_broken_plugin_is_told_below_the_table_and_hides_no_other_model(
    few_models: None, weights: Path, broken_plugin: str
) -> None:
    rows, broken = zoo_rows()
    assert [row.name for row in rows] == ["dnet_toy", "fnet_toy"] and list(broken) == ["cracked"]
    assert broken["cracked"].startswith("OSError: no box,")
    lines = zoo_table().splitlines()
    assert lines[3].startswith("cracked does not load: OSError: no box, nowhere nowhere")
    assert lines[4].startswith("  nowhere") and max(map(len, lines)) <= 120


def test_a_model_that_cannot_be_built_is_told_below_the_table(
    few_models: None, weights: Path
) -> None:
    config = DF2NetConfig(dense="dnet_gone")
    register_model("df2net_toy", slot="cascade", config=config)(DF2Net)
    rows, broken = zoo_rows()
    assert len(rows) == 2
    assert broken["df2net_toy"].startswith("LookupError: no model named 'dnet_gone'")


@needs_bundled
def test_the_bundled_weights_are_those_of_the_small_cascade(built_in: dict[str, ZooRow]) -> None:
    index = json.loads((BUNDLED / "model_index.json").read_text())
    config = model_entry("df2net_small").config
    as_json = json.loads(json.dumps(asdict(config)))  # which has no tuples
    assert {key: index[key] for key in as_json} == as_json
    for slot in SLOTS:
        entry = model_entry(getattr(config, slot))
        assert issubclass(entry.cls, StageModel)
        assert entry.cls.from_folder(BUNDLED / slot).config == entry.config
        assert built_in[entry.name].weights == "bundled"
    assert built_in["df2net_small"].weights == "bundled"


def test_the_bundled_albedonet_is_told_to_be_bundled(built_in: dict[str, ZooRow]) -> None:
    row = built_in["albedonet_small"]
    assert (row.slot, row.weights) == ("albedo", "bundled")
    assert 1 < row.megabytes < 3 and built_in["albedonet_base"].weights == "none"
