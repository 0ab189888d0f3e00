"""Two processes over gloo train as one does: the batch is the global one."""

import pytest
from training_runs import flags, largest_difference, launch, logged, quick

from df2net_hub.training.run import train


@pytest.mark.parametrize("stage", ["dense", "fine"])
def test_two_processes_give_the_loss_curve_and_weights_of_one(pairs, tiny, tmp_path, stage):
    """D-Net too, whose batch normalization must see the photos of both processes."""
    # At a high rate the rounding of sums in another order would grow from step to step.
    knobs = {"stage": stage, "epochs": 3, "log_every": 1, "optimizer": "sgd", "lr": 0.001}
    knobs |= {"network": "dnet_small", "network_config": NO_DROPOUT} if stage == "dense" else {}
    one = train(quick(pairs, tiny, tmp_path / "one", **knobs))
    run = launch(flags(pairs, tiny, tmp_path / "two", **knobs), processes=2)
    said, _ = run.communicate(timeout=240)
    assert run.returncode == 0, said
    assert "2 process(es)" in said and "each 1 part(s) of 4 photos" in said
    assert largest_difference(one, tmp_path / "two" / "model") < 1e-4
    for alone, both in zip(logged(tmp_path / "one"), logged(tmp_path / "two"), strict=True):
        assert alone["step"] == both["step"] and alone["lr"] == both["lr"]
        for name in (key for key in alone if key.startswith("loss/")):
            assert both[name] == pytest.approx(alone[name], rel=1e-4), name


def test_each_process_may_normalize_its_own_photos(pairs, tiny, tmp_path):
    """Faster, and no longer what one process gives."""
    knobs = {"network": "dnet_small", "network_config": NO_DROPOUT, "optimizer": "sgd"}
    knobs |= {"epochs": 1, "lr": 0.01}
    folders = []
    for shared in (True, False):
        folders.append(tmp_path / f"shared_{shared}")
        knobs["shared_norms"] = shared
        run = launch(flags(pairs, tiny, folders[-1], **knobs), processes=2)
        said, _ = run.communicate(timeout=240)
        assert run.returncode == 0, said
    assert 1e-4 < largest_difference(*(folder / "model" for folder in folders)) < 1


NO_DROPOUT = '{"width": 8, "levels": 3, "working_size": 0, "dropout": 0.0}'
