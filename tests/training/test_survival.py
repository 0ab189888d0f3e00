"""What training runs meet: being killed, asked to stop, full disks, numbers that blow up."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from training_runs import ROOT, flags, launch, logged, quick, same_weights

from df2net_hub.pairs import encode_row, write_rows
from df2net_hub.training.run import train

KNOBS = {"save_every": 2, "epochs": 4, "log_every": 1}


def wait_for(path: Path, run: subprocess.Popen, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not any(path.parent.glob(path.name)):
        assert time.monotonic() < end and run.poll() is None, run.communicate()[0]
        time.sleep(0.002)


def test_killed_in_the_middle_of_saves_and_resumed_it_ends_with_the_same_weights(
    pairs, tiny, tmp_path
):
    whole = train(quick(pairs, tiny, tmp_path / "whole", **KNOBS))
    out = tmp_path / "killed"
    arguments = flags(pairs, tiny, out, **KNOBS)
    # Aside folders are there while a checkpoint is being written.
    for moment in (".saving-step_00000004", "step_00000006"):
        run = launch(arguments + (["--resume"] if out.exists() else []))
        wait_for(out / "checkpoints" / moment, run)
        run.kill()
        run.wait()
    assert not (out / "finished.json").exists()
    run = launch([*arguments, "--resume"])
    said, _ = run.communicate(timeout=240)
    assert run.returncode == 0, said
    assert same_weights(whole, out / "model")
    assert not list((out / "checkpoints").glob(".saving-*"))
    steps = [line["step"] for line in logged(out)]
    assert steps == list(range(1, 13))  # none twice, though some were made twice


def test_asked_to_stop_it_saves_and_exits_with_a_status_that_says_so(pairs, tiny, tmp_path):
    whole = train(quick(pairs, tiny, tmp_path / "whole", **KNOBS | {"save_every": 100}))
    out = tmp_path / "stopped"
    arguments = flags(pairs, tiny, out, **KNOBS | {"save_every": 100})
    run = launch(arguments)
    wait_for(out / "log.jsonl", run)
    while not logged(out):
        time.sleep(0.002)
    run.send_signal(signal.SIGTERM)
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 75, said
    assert "of 12; go on with --resume" in said
    said, _ = (run := launch([*arguments, "--resume"])).communicate(timeout=240)
    assert run.returncode == 0, said
    assert same_weights(whole, out / "model")


def test_a_full_disk_is_said_and_the_checkpoints_before_are_whole(pairs, tiny, tmp_path):
    """A limit on the size of files stands in for the disk: the optimizer's state exceeds it."""
    train(quick(pairs, tiny, tmp_path, epochs=1))
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import resource, runpy, sys\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
            "sys.argv = sys.argv[1:]\n"
            "runpy.run_path(sys.argv[0], run_name='__main__')",
            str(ROOT / "scripts" / "train.py"),
            *flags(pairs, tiny, tmp_path, epochs=2),
            "--resume",
        ],
        env=os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 1
    assert "the checkpoint of step 6 could not be written" in run.stderr
    assert "Earlier checkpoints are whole" in run.stderr
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step_00000003"]
    train(quick(pairs, tiny, tmp_path, epochs=2, resume=True))


@pytest.fixture
def with_an_odd_row(tmp_path) -> str:
    """Eight pairs of which one has a truth that is not finite once normals are taken."""
    folder = tmp_path / "odd"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(8):
        image = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
        depth = np.zeros((32, 32)) if number else np.full((32, 32), np.nan)
        mask = np.ones((32, 32), bool) if number else np.zeros((32, 32), bool)
        row = encode_row(id=f"row{number}", source="morphable", image=image, mask=mask, depth=depth)
        rows.append(row)
    with open(folder / "0.parquet", "wb") as file:
        write_rows(rows, file)
    return str(folder)


def test_a_face_without_any_pixel_does_no_harm(with_an_odd_row, tiny, tmp_path):
    train(quick(with_an_odd_row, tiny, tmp_path / "out", epochs=2))
    assert all(np.isfinite(line["loss/depth"]) for line in logged(tmp_path / "out"))


def test_a_loss_that_is_not_finite_names_step_and_photos(pairs, tiny, tmp_path):
    knobs = {"optimizer": "sgd", "lr": 1e30, "clip": 0.0, "warmup": 0}
    with pytest.raises(ValueError, match=r"not finite at step \d+, photos 0-0000.*--nan skip"):
        train(quick(pairs, tiny, tmp_path, **knobs))


def test_steps_that_are_not_finite_can_be_skipped_but_not_for_ever(pairs, tiny, tmp_path):
    knobs = {"optimizer": "sgd", "lr": 1e30, "clip": 0.0, "warmup": 0, "epochs": 20}
    with pytest.raises(ValueError, match="as in 9 steps before it"):
        train(quick(pairs, tiny, tmp_path, **knobs, nan="skip"))
    notes = (tmp_path / "notes.txt").read_text().splitlines()
    assert len(notes) == 9 and all("step skipped" in line for line in notes)


def test_a_damaged_picture_in_a_shard_is_named(pairs, tiny, tmp_path):
    folder = tmp_path / "damaged"
    folder.mkdir()
    image = np.zeros((32, 32, 3), np.uint8)
    mask, depth = np.ones((32, 32), bool), np.zeros((32, 32))
    rows = [
        encode_row(id=f"r{n}", source="morphable", image=image, mask=mask, depth=depth)
        for n in range(8)
    ]
    rows[3]["depth"] = b"no picture"
    with open(folder / "0.parquet", "wb") as file:
        write_rows(rows, file)
    with pytest.raises(ValueError, match="row r3: 10 bytes that are no readable picture"):
        train(quick(str(folder), tiny, tmp_path / "out"))


def test_a_step_too_large_says_what_to_lower(pairs, tiny, tmp_path, monkeypatch):
    import torch

    from df2net_hub.modeling.dnet import DNet

    def run_out(self, photo):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(DNet, "_run", run_out)  # a CPU's memory cannot be run out of safely
    with pytest.raises(MemoryError, match="8 photos at 32 px.*--accumulate 2.*--batch"):
        train(quick(pairs, tiny, tmp_path))


def test_the_state_beside_a_checkpoint_is_plain(pairs, tiny, tmp_path):
    train(quick(pairs, tiny, tmp_path, epochs=1))
    state = json.loads((tmp_path / "checkpoints" / "step_00000003" / "state.json").read_text())
    assert state["step"] == 3 and state["skipped"] == 0 and state["seconds"] > 0
