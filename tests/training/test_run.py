"""The trainer on a tiny cascade and the procedural head: it learns, resumes, exports."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from huggingface_hub import ModelCard
from training_runs import logged, quick, same_weights

from df2net_hub.model_card import TrainingRecord
from df2net_hub.modeling.albedonet import AlbedoNet
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.registry import create_model
from df2net_hub.training.config import TrainConfig
from df2net_hub.training.run import networks_to_begin, train


@pytest.mark.parametrize("stage", ["dense", "fine", "finer"])
def test_a_stage_trains_alone_and_leaves_the_others_as_they_were(pairs, tiny, tmp_path, stage):
    folder = train(quick(pairs, tiny, tmp_path, stage=stage, epochs=2))
    before, after = DF2Net.from_folder(tiny), DF2Net.from_folder(folder)
    for slot in ("dense", "fine", "finer"):
        old, new = getattr(before, slot).state_dict(), getattr(after, slot).state_dict()
        changed = any(not torch.equal(old[key], new[key]) for key in old)
        assert changed == (slot == stage), slot


@pytest.mark.parametrize("stage", ["dense", "fine", "finer"])
def test_the_papers_recipe_runs_as_it_is(pairs, tiny, tmp_path, stage):
    knobs = {"preset": "paper", "kinds": ("morphable",), "resolution": 32, "batch": 8}
    folder = train(quick(pairs, tiny, tmp_path, stage=stage, epochs=1, ema=None, **knobs))
    saved = json.loads((tmp_path / "config.json").read_text())
    assert (saved["optimizer"], saved["schedule"], saved["ema"]) == ("sgd", "steps", 0.0)
    assert saved["target"] == ("given" if stage == "finer" else "truth")
    assert not same_weights(tiny, folder)


def test_training_lowers_the_depth_loss(pairs, tiny, tmp_path):
    train(quick(pairs, tiny, tmp_path, epochs=10))
    lines = logged(tmp_path)
    assert lines[-1]["step"] == 30 and lines[-1]["loss/depth"] < 0.7 * lines[0]["loss/depth"]


def test_all_stages_in_turn_each_from_the_one_before(pairs, tiny, tmp_path):
    config = quick(pairs, tiny, tmp_path, stage="all", epochs=1, overrides={"fine": {"epochs": 2}})
    folder = train(config)
    assert folder == tmp_path / "finer" / "model"
    dense, finer = (DF2Net.from_folder(tmp_path / stage / "model") for stage in ("dense", "finer"))
    for key, value in dense.dense.state_dict().items():
        assert torch.equal(value, finer.dense.state_dict()[key])
    steps = {stage: logged(tmp_path / stage)[-1]["step"] for stage in ("dense", "fine", "finer")}
    assert steps == {"dense": 3, "fine": 6, "finer": 3}


def test_stages_of_a_fresh_cascade_begin_with_what_the_one_before_has_learned(pairs, tmp_path):
    sizes = {"fine": 256, "finer": 512}
    tables = {stage: {"resolution": size, "window": 32} for stage, size in sizes.items()}
    config = quick(pairs, "df2net_small", tmp_path, stage="all", epochs=1, overrides=tables)
    network = DF2Net.from_folder(train(replace(config, lr=1e-4)))
    stages = (network.dense, network.fine, network.finer)
    dense, fine, finer = (one.joins[0].lift.weight for one in stages)
    for before, after in ((dense, fine), (fine, finer)):
        assert not torch.equal(before, after)
        assert (before - after).abs().max() < 1e-3 < before.abs().mean()


@pytest.mark.parametrize(
    ("model", "begun"),
    [
        ("df2net_small", {"dense": "", "fine": "fnet_residual", "finer": "frnet_residual"}),
        ("df2net_stacked", {"dense": "", "fine": "", "finer": ""}),  # an F-Net in Fr-Net's place
    ],
)
def test_only_residual_networks_of_a_fresh_cascade_begin_with_the_one_before(model, begun):
    config = TrainConfig(stage="all", preset="ours", dataset=("pairs",), model=model)
    assert networks_to_begin(config) == begun


def test_networks_of_a_folder_go_on_from_what_they_are(tmp_path):
    folder = tmp_path / "cascade"
    create_model("df2net_small").to_folder(folder)
    config = TrainConfig(stage="all", preset="ours", dataset=("pairs",), model=str(folder))
    assert set(networks_to_begin(config).values()) == {""}


def test_a_stage_that_cannot_be_trained_is_known_before_the_first_one_is(pairs, tmp_path):
    config = quick(pairs, "df2net_small", tmp_path, stage="all")
    with pytest.raises(ValueError, match="works on photos of 256 px"):
        train(config)
    assert not (tmp_path / "dense").exists()


def test_a_finished_stage_is_not_trained_again(pairs, tiny, tmp_path):
    config = quick(pairs, tiny, tmp_path, stage="all", epochs=1)
    train(config)
    lines = {stage: len(logged(tmp_path / stage)) for stage in ("dense", "fine", "finer")}
    (tmp_path / "finer" / "finished.json").unlink()
    train(quick(pairs, tiny, tmp_path, stage="all", epochs=1, resume=True))
    assert {stage: len(logged(tmp_path / stage)) for stage in lines} == lines


def test_a_run_killed_before_its_last_export_exports_when_it_is_resumed(pairs, tiny, tmp_path):
    train(quick(pairs, tiny, tmp_path, epochs=1))
    exported = tmp_path / "model" / "dense" / "model.safetensors"
    weights = exported.read_bytes()
    shutil.rmtree(tmp_path / "model")
    (tmp_path / "finished.json").unlink()
    train(quick(pairs, tiny, tmp_path, epochs=1, resume=True))
    assert exported.read_bytes() == weights and (tmp_path / "finished.json").is_file()


def test_a_longer_run_goes_on_from_a_finished_one(pairs, tiny, tmp_path):
    train(quick(pairs, tiny, tmp_path, epochs=1))
    train(quick(pairs, tiny, tmp_path, epochs=2, resume=True))
    assert logged(tmp_path)[-1]["step"] == 6


@pytest.mark.parametrize("ema", [0.8, 0.0])
def test_a_resumed_run_ends_with_the_weights_of_an_undisturbed_one(pairs, tiny, tmp_path, ema):
    knobs = {"save_every": 5, "keep": 9, "ema": ema}
    whole = train(quick(pairs, tiny, tmp_path / "whole", **knobs))
    train(quick(pairs, tiny, tmp_path / "parts", **knobs))
    for step in (10, 12):  # as if the run had been killed after its checkpoint of step 5
        shutil.rmtree(tmp_path / "parts" / "checkpoints" / f"step_{step:08d}")
    resumed = train(quick(pairs, tiny, tmp_path / "parts", **knobs, resume=True))
    assert same_weights(whole, resumed)


def test_parts_of_a_batch_give_the_gradient_of_the_whole(pairs, tiny, tmp_path):
    """F-Net has no batch normalization, which would see the parts only."""
    knobs = {"stage": "fine", "epochs": 2, "ema": 0.0, "optimizer": "sgd", "lr": 0.01}
    whole = train(quick(pairs, tiny, tmp_path / "whole", **knobs))
    parts = train(quick(pairs, tiny, tmp_path / "parts", **knobs, accumulate=4))
    one, two = (DF2Net.from_folder(folder).fine.state_dict() for folder in (whole, parts))
    start = DF2Net.from_folder(tiny).fine.state_dict()
    for key, value in one.items():
        torch.testing.assert_close(value, two[key], rtol=1e-3, atol=1e-5)
    assert any(not torch.equal(start[key], one[key]) for key in one)


def test_the_best_weights_on_validation_pairs_are_kept(pairs, tiny, tmp_path):
    train(quick(pairs, tiny, tmp_path, validation=pairs, validation_pairs=6, validate_every=3))
    errors = [line["validation/depth_px"] for line in logged(tmp_path, "validation/depth_px")]
    state = json.loads((tmp_path / "checkpoints" / "step_00000012" / "state.json").read_text())
    assert len(errors) == 4 and state["best"] == pytest.approx(min(errors), rel=1e-4)
    assert DF2Net.from_folder(tmp_path / "best")


def test_the_card_tells_of_the_run_and_of_the_stages_before_it(pairs, tiny, tmp_path):
    first = train(quick(pairs, tiny, tmp_path / "dense", epochs=1, validation=pairs))
    second = train(quick(pairs, str(first), tmp_path / "fine", stage="fine", epochs=1, seed=3))
    record = TrainingRecord.read(second)
    assert record.origin == "df2net_hub" and record.seed == 3
    assert "Stage dense, preset `ours`: 3 of 3 steps of 8 photos at 32 px" in record.recipe
    assert "Stage fine" in record.recipe and "cosine 40" in record.recipe
    assert "mean depth error" in "".join(record.accuracy)
    assert "CPU" in record.hardware
    card = ModelCard.load(second / "README.md").content
    assert record.recipe in card and "| fine | `fnet_base` |" in card


def test_pictures_and_curves_are_written(pairs, tiny, tmp_path):
    import cv2
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    knobs = {"picture_every": 2, "tracker": "tensorboard", "epochs": 1, "log_every": 1}
    knobs["losses"] = ("shading=0.1",)  # a column of its own
    train(quick(pairs, tiny, tmp_path, stage="fine", **knobs))
    picture = cv2.imread(str(tmp_path / "pictures" / "step_00000002.jpg"))
    assert picture.shape == (20 + 4 * 160, 5 * 160, 3)  # photo, given, made, target, shading
    events = EventAccumulator(str(tmp_path / "df2net_hub")).Reload()
    losses = [event.value for event in events.Scalars("loss/normal")]
    assert losses == pytest.approx([line["loss/normal"] for line in logged(tmp_path)], rel=1e-4)
    assert events.Tags()["images"]


def test_another_network_is_trained_in_its_slot(pairs, tiny, tmp_path):
    knobs = {"stage": "finer", "epochs": 1, "network": "frnet_plain"}
    folder = train(quick(pairs, tiny, tmp_path, **knobs, network_config='{"width": 2}'))
    cascade = DF2Net.from_folder(folder)
    assert cascade.finer.config.width == 2 and not cascade.finer.config.multi_resolution
    knobs = {"network": "frnet_plain", "stage": "fine"}
    with pytest.raises(ValueError, match="'frnet_plain' is of slot finer, the stage is fine"):
        train(quick(pairs, tiny, tmp_path / "other", **knobs))


def test_pairs_rendered_on_the_way_never_repeat(tiny, tmp_path):
    train(quick("render:", tiny, tmp_path, rendered_pairs=8, epochs=2))
    assert logged(tmp_path)[-1]["step"] == 2
    record = TrainingRecord.read(tmp_path / "model")
    assert record.data == ("Rendered during training from the procedural head",)


def test_albedonet_learns_and_is_exported_as_a_folder_that_loads(pairs, tiny_albedonet, tmp_path):
    knobs = {"stage": "albedo", "epochs": 20, "ema": 0.5, "lr": 3e-2, "validate_every": 5}
    folder = train(quick(pairs, tiny_albedonet, tmp_path, **knobs, validation=pairs))
    losses = [line["validation/loss"] for line in logged(tmp_path, "validation/loss")]
    assert losses[-1] < 0.9 * losses[0]
    trained = AlbedoNet.from_pretrained(folder)
    assert trained.config == AlbedoNet.from_pretrained(tiny_albedonet).config


@pytest.mark.parametrize(
    ("stage", "model", "message"),
    [
        ("albedo", "df2net_small", "stage 'albedo' trains AlbedoNet, such as --model albedonet"),
        ("dense", "albedonet_small", "stage 'dense' trains DF2Net, such as --model df2net_small"),
    ],
)
def test_a_model_of_another_kind_is_refused(pairs, tmp_path, stage, model, message):
    with pytest.raises(ValueError, match=message):
        train(quick(pairs, model, tmp_path, stage=stage))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resume": True}, "holds no checkpoint to resume from; leave out --resume"),
        ({"accumulate": 3}, "batch 8 is no multiple of accumulate 3"),
        ({"target": "given"}, "target given: stage dense is given no depth"),
        ({"kinds": ("fine",)}, "no rows of kind fine.*it has morphable.*--kinds morphable"),
        ({"streaming": True, "dataset": ("render:",)}, "render: is endless by itself"),
    ],
)
def test_what_cannot_be_trained_is_said_before_the_first_step(
    pairs, tiny, tmp_path, change, message
):
    config = quick(pairs, tiny, tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        train(replace(config, **change))


def test_a_folder_with_another_run_is_not_written_over(pairs, tiny, tmp_path):
    train(quick(pairs, tiny, tmp_path, epochs=1))
    with pytest.raises(ValueError, match="holds checkpoints of another run"):
        train(quick(pairs, tiny, tmp_path, epochs=1))
