"""What a run's card says of its data."""

from dataclasses import replace

from training_runs import quick

from df2net_hub.training.checkpoints import RunState
from df2net_hub.training.export import run_record


def test_a_set_is_named_with_the_license_that_its_card_states(tmp_path):
    bare, told = tmp_path / "bare", tmp_path / "told"
    for folder in (bare, told):
        folder.mkdir()
    (told / "README.md").write_text("---\nlicense: cc0-1.0\npretty_name: Rendered\n---\ntext\n")
    config = quick(str(bare), str(tmp_path), tmp_path).for_stage("dense")
    config = replace(config, dataset=(str(bare), str(told), "owner/name", "render:DATA"))
    record = run_record(config, 100, 50, RunState(50, 90.0, 2), {"depth_px": 3.25}, "a CPU")
    assert record.data == (
        f"{bare}: no card, license not stated",
        "Rendered: license cc0-1.0",
        "owner/name: see its card on the hub",
        "Rendered during training from ingredients of DATA",
    )
    assert record.duration == "dense: 2 minutes" and "2 steps skipped" in record.recipe
    assert list(record.accuracy.values()) == ["3.25 px of a 512 crop"]
