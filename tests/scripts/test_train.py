"""The launch script: exit statuses, and the configs that come with it."""

import importlib.util
from pathlib import Path

import pytest

from df2net_hub.training.config import parse

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("train_script", ROOT / "scripts" / "train.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_help_teaches_and_ends_well(script, capsys):
    with pytest.raises(SystemExit) as stop:
        script.main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert "accelerate launch scripts/train.py --stage dense" in shown and "--accumulate" in shown


def test_a_mistake_is_one_line_and_status_1(script, tmp_path, capsys):
    arguments = ["--dataset", str(tmp_path), "--stage", "dense", "--out", str(tmp_path / "out")]
    assert script.main(arguments) == 1
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("name", ["paper", "ours", "smoke"])
def test_the_configs_that_come_with_it_are_whole(name):
    config = parse(["--config", str(ROOT / "configs" / f"{name}.toml")])
    for stage in config.stages():
        assert config.for_stage(stage).batch >= 8
    if name == "paper":
        sets = [config.for_stage(stage).dataset for stage in config.stages()]
        assert sets == [("morphable", "reconstructed"), ("reconstructed",), ("fine",)]


@pytest.mark.parametrize("name", ["cpu", "1gpu", "4gpu"])
def test_accelerate_reads_its_configs(name):
    from accelerate.commands.config.config_args import load_config_from_file

    loaded = load_config_from_file(str(ROOT / "configs" / f"accelerate_{name}.yaml"))
    assert loaded.num_processes == (4 if name == "4gpu" else 1)
