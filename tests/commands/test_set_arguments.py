"""The flags of the commands that write sets, and `df2net synthesize` which has all of them."""

import re
from pathlib import Path

import pytest

from df2net_hub import cli
from df2net_hub.commands.set_arguments import shard_part
from df2net_hub.shards import rows_per_shard


@pytest.fixture
def synthesize(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    """`df2net synthesize` into tmp_path/pairs: status, stdout, stderr."""

    def run(*argv: object) -> tuple[int, str, str]:
        words = ["synthesize", tmp_path / "pairs", "--size", 32, *argv]
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, *capfd.readouterr()

    return run


def test_a_set_is_finished_with_card_and_sheet_and_goes_on_where_it_is(synthesize, tmp_path):
    status, out, err = synthesize("--count", 3, "--license", "cc0-1.0")
    assert status == 0, err
    assert "3 pairs, 3 of 3 inputs made now" in out and "contact_sheet.jpg" in out
    assert "3/3" in err  # the bar
    visible = sorted(p.name for p in (tmp_path / "pairs").iterdir() if p.name[0] != ".")
    assert visible == ["README.md", "contact_sheet.jpg", "seed0-00000.parquet", "seed0.json"]
    card = (tmp_path / "pairs" / "README.md").read_text()
    assert "df2net synthesize FOLDER --count 3 --seed 0 --size 32" in card
    assert "License: cc0-1.0." in card and str(tmp_path) not in card
    assert "Made from" not in card and "states no licenses" not in card  # a head of formulas
    status, out, err = synthesize("--count", 3)
    assert status == 0 and "3 pairs, 0 of 3 inputs made now" in out
    status, out, err = synthesize("--count", 3, "--size", 64)
    assert status == 1 and "its size is 32, this run's is 64" in err
    assert len(err.strip().splitlines()[-1:]) == 1


def test_a_part_says_how_the_parts_are_joined_and_writes_no_card(synthesize, tmp_path, monkeypatch):
    count = rows_per_shard(32) + 2  # the second shard has two pairs
    status, out, _ = synthesize("--count", count, "--shard", "2/2")
    assert status == 0 and "part 2 of 2" in out and "2 pairs, 2 of 2 inputs" in out
    assert "run once more without --shard" in out
    assert not (tmp_path / "pairs" / "README.md").exists()
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    status, _, err = synthesize("--count", count, "--shard", "2/2", "--push", "owner/name")
    assert status == 1 and "--push publishes whole sets" in err


def test_a_bad_push_ends_before_any_work(synthesize, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    status, _, err = synthesize("--push", "no-owner")
    assert status == 1 and "named OWNER/NAME" in err
    assert not (tmp_path / "pairs").exists()


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--shard", "0/4", "I from 1 to N"),
        ("--shard", "5/4", "I from 1 to N"),
        ("--shard", "half", "I from 1 to N"),
        ("--workers", "0", "a number of 1 or more, got '0'"),
        ("--size", "31", "a number of 32 or more"),
        ("--seed", "-1", "a number of 0 or more"),
        ("--count", "none", "a number of 1 or more"),
    ],
)
def test_a_flag_out_of_range_is_a_wrong_command_line(synthesize, flag, value, words):
    status, _, err = synthesize(flag, value)
    assert status == 2 and words in re.sub(r"\s+", " ", err)


def test_parts_are_counted_from_one_by_people():
    assert [shard_part(text) for text in ("1/1", "1/4", "4/4")] == [(0, 1), (0, 4), (3, 4)]
