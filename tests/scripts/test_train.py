"""The launch script's flags are the fields of TrainConfig."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "scripts" / "train.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("train_script", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_flags_override_the_defaults(script):
    config = script.parse(["--dataset", "pairs", "--stage", "fine", "--lr", "0.01", "--compile"])
    assert (config.dataset, config.stage, config.lr, config.compile) == (
        "pairs",
        "fine",
        0.01,
        True,
    )
    assert config.batch == 16


def test_help_shows_every_knob(script, capsys):
    with pytest.raises(SystemExit) as stop:
        script.parse(["--help"])
    assert stop.value.code == 0
    assert "--mixed-precision" in capsys.readouterr().out
