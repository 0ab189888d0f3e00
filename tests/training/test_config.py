"""Flags over a file over the preset; every knob is read."""

import re
from pathlib import Path

import pytest

import df2net_hub.training
from df2net_hub.training.config import TrainConfig, parse


def test_the_default_is_the_papers_training_to_the_letter():
    """Sec. 3.3 to 3.6."""
    config = parse(["--dataset", "pairs"])
    assert config.stages() == ("dense", "fine", "finer") and config.model == "df2net_base"
    stages = {stage: config.for_stage(stage) for stage in config.stages()}
    assert [one.batch for one in stages.values()] == [64, 8, 8]
    for one in stages.values():
        assert (one.lr, one.epochs, one.resolution) == (1e-3, 10, 512)
        assert (one.optimizer, one.schedule, one.warmup) == ("sgd", "steps", 0)
    losses = {stage: config.recipe(stage).losses for stage in stages}
    assert (losses["dense"].depth, losses["dense"].normal) == (10, 0.1)
    assert (losses["fine"].depth, losses["fine"].shading) == (10, 0.1)
    assert (losses["finer"].depth, losses["finer"].shading) == (1, 100)
    assert stages["finer"].target == "given"
    # Table 1
    assert stages["dense"].kinds == ("morphable", "reconstructed")
    assert stages["fine"].kinds == ("reconstructed",) and stages["finer"].kinds == ("fine",)


def test_flags_come_before_the_files_tables_and_these_before_its_values(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(
        'dataset = ["a", "b"]\nmix = [3, 1]\nbatch = 32\nlr = 0.1\n[fine]\nbatch = 4\nlr = 0.2\n'
    )
    config = parse(["--config", str(file), "--lr", "0.5", "--losses", "normal=2"])
    assert config.dataset == ("a", "b") and config.mix == (3, 1)
    dense, fine = config.for_stage("dense"), config.for_stage("fine")
    assert (dense.batch, dense.lr) == (32, 0.5) and (fine.batch, fine.lr) == (4, 0.5)
    assert config.recipe("dense").losses.normal == 2 and config.recipe("dense").losses.depth == 10


def test_help_shows_every_knob_and_its_default(capsys):
    with pytest.raises(SystemExit) as stop:
        parse(["--help"])
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert stop.value.code == 0
    for name in set(TrainConfig.__dataclass_fields__) - {"overrides"}:
        assert f"--{name.replace('_', '-')}" in shown, name
    assert "photos per step, over all processes and parts (default: the preset's)" in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch = [", "is not TOML"),
        ("bacth = 3", "unknown value 'bacth'; known: stage"),
        ("[fyne]\nbatch = 3", "no stage is named 'fyne'"),
        ("[fine]\nbacth = 3", r"table \[fine\]: unknown value 'bacth'"),
    ],
)
def test_a_file_with_a_mistake_is_an_error_that_names_it(tmp_path, capsys, text, message):
    file = tmp_path / "run.toml"
    file.write_text('dataset = ["a"]\n' + text)
    with pytest.raises(SystemExit):
        parse(["--config", str(file)])
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage": "finest"}, "stage must be one of dense, fine, finer, all, albedo"),
        ({"preset": "best"}, "preset must be one of paper, ours"),
        ({"dataset": ()}, "df2net synthesize"),
        ({"mix": (1.0, 2.0)}, "one share above 0 for each of the 1 sets"),
        ({"losses": ("depth",)}, "NAME=WEIGHT, got 'depth'"),
        ({"losses": ("depht=1",)}, "no loss is named 'depht'; known: depth, normal"),
        ({"losses": ("depth=-1",)}, "must be 0 or more"),
        ({"kinds": ("real",)}, "kinds are morphable, reconstructed, fine, got 'real'"),
        ({"batch": 0}, "batch must be 1 or more, got 0"),
        ({"validate_every": 0}, "validate_every must be 1 or more, got 0"),
        ({"validation_pairs": 0}, "validation_pairs must be 1 or more, got 0"),
        ({"rendered_pairs": 0}, "rendered_pairs must be 1 or more, got 0"),
        ({"workers": -2}, "workers must be 0 or more, got -2"),
        ({"picture_every": -1}, "picture_every must be 0 or more, got -1"),
        ({"epochs": -1.0}, "epochs must be a number above 0, got -1.0"),
        ({"lr": 0.0}, "lr must be a number above 0, got 0.0"),
        ({"lr": float("nan")}, "lr must be a number above 0, got nan"),
        ({"ema": 1.5}, "ema must be from 0 to below 1, got 1.5"),
        ({"clip": -1.0}, "clip must be 0 or more, got -1.0"),
        ({"network": "fnet_small"}, "give its --stage, not all"),
        ({"window": 30}, "multiple of 4, or 0 for none, got 30"),
        ({"disturb": -1.0}, "disturb must be a number from 0 on, got -1.0"),
        ({"disturb": float("nan")}, "disturb must be a number from 0 on, got nan"),
        ({"tracker": "paper"}, "tracker must be one of tensorboard, wandb, trackio, none"),
    ],
)
def test_a_wrong_knob_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**({"dataset": ("pairs",)} | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": 6, "accumulate": 4}, "batch 6 is no multiple of accumulate 4"),
        ({"stage": "dense", "window": 64}, "stage dense needs the whole face"),
        ({"stage": "dense", "disturb": 1.0}, "stage dense is given no depth"),
        ({"stage": "finer", "disturb": 1.0, "target": "given"}, "would be the truth"),
        (
            {"stage": "fine", "window": 64, "losses": ("released_shading=1",)},
            "knows no windows; leave out window",
        ),
    ],
)
def test_knobs_that_do_not_go_together_are_named(change, message):
    config = TrainConfig(**({"dataset": ("pairs",)} | change))
    with pytest.raises(ValueError, match=message):
        config.for_stage(config.stage if config.stage != "all" else "dense")


def test_every_knob_is_read():
    """A field of TrainConfig that the trainer does not read would be a lie in --help."""
    folder = Path(df2net_hub.training.__file__).parent
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    for name in TrainConfig.__dataclass_fields__:
        assert re.search(rf"(config|own|self)\.{name}\b", source), name
