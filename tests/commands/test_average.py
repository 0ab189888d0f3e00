"""`df2net average`."""

from pathlib import Path

import pytest
import torch

from df2net_hub.cli import main
from df2net_hub.model_card import TrainingRecord
from df2net_hub.modeling.cascade import DF2Net, DF2NetConfig
from df2net_hub.modeling.dnet import DNet, DNetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig
from df2net_hub.synthesis.make_pairs import make_pairs


def run_folder(folder: Path, seed: int, **record: object) -> Path:
    torch.manual_seed(seed)
    DF2Net(
        DF2NetConfig(),
        DNet(DNetConfig(width=2, levels=2)),
        FNet(FNetConfig(width=1)),
        FrNet(FrNetConfig(width=1)),
    ).to_folder(folder)
    TrainingRecord(origin="df2net_hub", **record).write(folder)
    return folder


def test_the_mean_of_two_runs_is_a_pipeline_folder_with_a_card(tmp_path: Path) -> None:
    models = [
        run_folder(tmp_path / "a", 1, command="train a", data=("heads",), recipe="Five epochs."),
        run_folder(tmp_path / "b", 2, command="train b", data=("heads", "skins")),
    ]
    out = tmp_path / "mean"
    assert main(["average", *map(str, models), "-o", str(out)]) == 0
    mean, *runs = (DF2Net.from_folder(one).state_dict() for one in (out, *models))
    name = next(name for name in mean if name.startswith("finer.") and name.endswith("weight"))
    assert torch.allclose(mean[name], (runs[0][name] + runs[1][name]) / 2)
    record = TrainingRecord.read(out)
    assert record.command == "train a\ntrain b"
    assert record.data == ("heads", "skins")
    assert record.recipe == "Five epochs. Mean of the weights of 2 runs."
    assert "Mean of the weights of 2 runs" in (out / "README.md").read_text()


def test_models_may_count_unequally(tmp_path: Path) -> None:
    models = [run_folder(tmp_path / str(seed), seed, recipe="Long.") for seed in (1, 2)]
    out = tmp_path / "mean"
    assert main(["average", *map(str, models), "-o", str(out), "--shares", "0.75", "0.25"]) == 0
    mean, *runs = (DF2Net.from_folder(one).state_dict() for one in (out, *models))
    name = next(name for name in mean if name.startswith("finer.") and name.endswith("weight"))
    assert torch.allclose(mean[name], 0.75 * runs[0][name] + 0.25 * runs[1][name], atol=1e-7)
    recipe = TrainingRecord.read(out).recipe
    assert recipe == "Long. Mean of the weights of 2 runs, with shares of 0.75, 0.25."


def test_what_one_run_measured_is_not_said_of_the_mean(tmp_path: Path) -> None:
    models = [run_folder(tmp_path / str(seed), seed, accuracy={"x": "1 mm"}) for seed in (1, 2)]
    assert main(["average", *map(str, models), "-o", str(tmp_path / "mean")]) == 0
    assert TrainingRecord.read(tmp_path / "mean").accuracy is None


def test_norms_of_the_mean_are_those_of_the_photos_given(tmp_path: Path) -> None:
    make_pairs(tmp_path / "pairs", 6, size=32)
    models = [str(run_folder(tmp_path / str(seed), seed)) for seed in (1, 2)]
    for name, more in (("plain", ()), ("settled", ("--norms", str(tmp_path / "pairs")))):
        assert main(["average", *models, "-o", str(tmp_path / name), *more]) == 0
    plain, settled = (
        DF2Net.from_folder(tmp_path / name).state_dict() for name in ("plain", "settled")
    )
    changed = {name for name in plain if not torch.equal(plain[name], settled[name])}
    assert changed == {
        name
        for name in plain
        if name.startswith("dense.") and ("running" in name or "tracked" in name)
    }
    pairs = tmp_path / "pairs"
    recipe = TrainingRecord.read(tmp_path / "settled").recipe
    assert (
        recipe == f"Mean of the weights of 2 runs. D-Net's batch statistics are those of {pairs}."
    )


def test_one_model_alone_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    model = run_folder(tmp_path / "a", 1)
    assert main(["average", str(model), "-o", str(tmp_path / "mean")]) == 1
    assert "two models or more" in capsys.readouterr().err
    assert not (tmp_path / "mean").exists()


def test_a_folder_that_is_no_model_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    model = run_folder(tmp_path / "a", 1)
    (tmp_path / "none").mkdir()
    assert main(["average", str(model), str(tmp_path / "none"), "-o", str(tmp_path / "mean")]) == 1
    assert "none" in capsys.readouterr().err
    assert not (tmp_path / "mean").exists()
