"""The trainer on a tiny cascade and the procedural head: it learns, resumes, exports."""

import json

import pytest
import torch

from df2net_hub.modeling.albedonet import AlbedoNet, AlbedoNetConfig
from df2net_hub.modeling.cascade import DF2Net, DF2NetConfig
from df2net_hub.modeling.dnet import DNet, DNetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig
from df2net_hub.synthesis.make_pairs import make_pairs
from df2net_hub.training import (
    ALBEDO,
    PairDataset,
    TrainConfig,
    albedo_losses,
    cosine_with_warmup,
    train,
)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("pairs")
    make_pairs(folder, 24, size=32)
    return str(folder)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    torch.manual_seed(0)
    cascade = DF2Net(
        DF2NetConfig("dnet_small", "fnet_small", "frnet_small"),
        dense=DNet(DNetConfig(width=8, levels=3, dropout=0.0, mask_head=True)),
        fine=FNet(FNetConfig(width=2, residual=True)),
        finer=FrNet(FrNetConfig(width=2, zero_init=True)),
    )
    folder = tmp_path_factory.mktemp("tiny")
    cascade.to_folder(folder)
    return str(folder)


def config(pairs: str, tiny: str, out, **changes) -> TrainConfig:
    base = {
        "resolution": 32,
        "batch": 8,
        "epochs": 7,
        "lr": 3e-3,
        "warmup": 2,
        "workers": 0,
        "ema": 0.8,
    }
    return TrainConfig(dataset=pairs, model=tiny, out=str(out), **(base | changes))


def logged(out) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("stage", ["dense", "fine", "finer"])
def test_a_stage_trains_alone_and_leaves_the_others_as_they_were(pairs, tiny, tmp_path, stage):
    folder = train(config(pairs, tiny, tmp_path, stage=stage))
    before, after = DF2Net.from_folder(tiny), DF2Net.from_folder(folder)
    for slot in ("dense", "fine", "finer"):
        old, new = getattr(before, slot).state_dict(), getattr(after, slot).state_dict()
        changed = any(not torch.equal(old[key], new[key]) for key in old)
        assert changed == (slot == stage), slot


def test_twenty_steps_lower_the_depth_loss(pairs, tiny, tmp_path):
    train(config(pairs, tiny, tmp_path, epochs=20))
    lines = logged(tmp_path)
    assert lines[-1]["step"] == 60 and lines[-1]["depth"] < 0.7 * lines[0]["depth"]


def test_a_resumed_run_ends_with_the_weights_of_an_undisturbed_one(pairs, tiny, tmp_path):
    whole = train(config(pairs, tiny, tmp_path / "whole", epochs=4, save_every=5))
    # The same run stopped after its checkpoint of step 5: what came later is thrown away.
    train(config(pairs, tiny, tmp_path / "parts", epochs=4, save_every=5))
    for checkpoint in (tmp_path / "parts" / "checkpoints").glob("checkpoint_*"):
        if checkpoint.name != "checkpoint_0":
            for path in sorted(checkpoint.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            checkpoint.rmdir()
    resumed = train(config(pairs, tiny, tmp_path / "parts", epochs=4, save_every=5, resume=True))
    expected, got = DF2Net.from_folder(whole).state_dict(), DF2Net.from_folder(resumed).state_dict()
    for key in expected:
        assert torch.equal(expected[key], got[key]), key


@pytest.fixture(scope="module")
def tiny_albedonet(tmp_path_factory) -> str:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("albedonet")
    AlbedoNet(AlbedoNetConfig(width=4, levels=4, working_size=32)).save_pretrained(folder)
    return str(folder)


def test_albedonet_learns_and_is_exported_as_a_folder_that_loads(pairs, tiny_albedonet, tmp_path):
    knobs = {"stage": "albedo", "epochs": 15, "ema": 0.5, "lr": 1e-2}
    folder = train(config(pairs, tiny_albedonet, tmp_path, **knobs))
    assert set(logged(tmp_path)[0]) == {"step", "time", "lr", "albedo", "edge", "level"}
    seen = [PairDataset(pairs, 32, seed=9)[index] for index in range(24)]
    batch = {name: torch.stack([pair[name] for pair in seen]) for name in seen[0]}
    trained, before = AlbedoNet.from_pretrained(folder), AlbedoNet.from_pretrained(tiny_albedonet)
    with torch.no_grad():
        losses = [albedo_losses(ALBEDO, batch, net(batch["image"])) for net in (before, trained)]
    first, last = (float(sum(parts.values())) for parts in losses)
    assert trained.config == before.config and last < 0.9 * first


def test_a_resumed_albedonet_ends_with_the_weights_of_an_undisturbed_one(
    pairs, tiny_albedonet, tmp_path
):
    knobs = {"stage": "albedo", "epochs": 2, "save_every": 4}
    whole = train(config(pairs, tiny_albedonet, tmp_path / "whole", **knobs))
    train(config(pairs, tiny_albedonet, tmp_path / "parts", **knobs))  # keeps step 4 of 6
    resumed = train(config(pairs, tiny_albedonet, tmp_path / "parts", **knobs, resume=True))
    expected, got = (AlbedoNet.from_pretrained(f).state_dict() for f in (whole, resumed))
    for key in expected:
        assert torch.equal(expected[key], got[key]), key


@pytest.mark.parametrize(
    ("stage", "model", "message"),
    [
        ("albedo", "df2net_small", "stage 'albedo' trains AlbedoNet, such as --model albedonet"),
        ("dense", "albedonet_small", "stage 'dense' trains DF2Net, such as --model df2net_small"),
    ],
)
def test_a_model_of_another_kind_is_refused(pairs, tmp_path, stage, model, message):
    with pytest.raises(ValueError, match=message):
        train(TrainConfig(stage=stage, dataset=pairs, model=model, out=str(tmp_path), batch=8))


def test_a_pair_is_the_same_for_seed_epoch_and_index(pairs):
    first, second = PairDataset(pairs, 32, 1), PairDataset(pairs, 32, 1)
    assert torch.equal(first[3]["image"], second[3]["image"])
    second.epoch = 1
    assert not torch.equal(first[3]["image"], second[3]["image"])


def test_the_learning_rate_warms_up_and_ends_at_zero():
    factor = cosine_with_warmup(100, 10)
    assert factor(0) == pytest.approx(0.1)
    assert factor(50) == pytest.approx(0.5)
    assert factor(100) == pytest.approx(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage": "finest"}, "stage must be one of dense, fine, finer, albedo"),
        ({"recipe": "best"}, "recipe must be one of paper, ours"),
        ({"dataset": ""}, "df2net synthesize"),
    ],
)
def test_a_wrong_knob_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**({"dataset": "pairs"} | change))


def test_nothing_to_resume_is_an_error(pairs, tiny, tmp_path):
    with pytest.raises(FileNotFoundError, match="leave out --resume"):
        train(config(pairs, tiny, tmp_path, resume=True))


def test_a_batch_larger_than_the_set_is_an_error(pairs, tiny, tmp_path):
    with pytest.raises(ValueError, match="do not fill one batch"):
        train(config(pairs, tiny, tmp_path, batch=64))


def test_every_knob_is_read():
    """A field of TrainConfig that the trainer does not read would be a lie in --help."""
    import inspect

    import df2net_hub.training as module

    source = inspect.getsource(module).split("class PairDataset")[1]
    for name in TrainConfig.__dataclass_fields__:
        assert f"config.{name}" in source, name
