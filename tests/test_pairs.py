"""Pairs survive the format to its stated quantum; damaged ones are refused."""

import numpy as np
import pytest

from df2net_hub.pairs import (
    decode_depth,
    decode_pair,
    decode_picture,
    encode_depth,
    encode_mask,
    encode_row,
    open_pairs,
    write_rows,
)


def row(rng: np.random.Generator, size: int = 32) -> tuple[dict, dict]:
    mask = rng.random((size, size)) > 0.3
    depth = np.where(mask, rng.uniform(-1.9, 1.9, (size, size)), np.nan).astype(np.float32)
    image = np.full((size, size, 3), (200, 120, 60), np.uint8)
    encoded = encode_row(
        id="a",
        source="morphable",
        image=image,
        depth=depth,
        mask=mask,
        albedo=image,
        light=np.zeros((3, 9)),
        landmarks=np.zeros((68, 2)),
        camera={"yaw": 0.0, "pitch": 0.0, "mm_per_px": 0.5},
    )
    return encoded, {"image": image, "depth": depth, "mask": mask}


def test_depth_round_trip_is_exact_to_half_a_step():
    _, truth = row(np.random.default_rng(0))
    back = decode_depth(encode_depth(truth["depth"]))
    np.testing.assert_array_equal(np.isnan(back), np.isnan(truth["depth"]))
    assert np.nanmax(np.abs(back - truth["depth"])) * 127.5 <= 0.5 / 128 + 1e-4


def test_depth_beyond_the_format_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        encode_depth(np.full((4, 4), 2.1, np.float32))


def test_an_8_bit_depth_is_refused():
    with pytest.raises(ValueError, match="16-bit"):
        decode_depth(encode_mask(np.ones((4, 4), bool)))


def test_bytes_that_are_no_picture_are_refused():
    with pytest.raises(ValueError, match="no readable picture"):
        decode_picture(b"not a picture")


def test_a_shard_reads_back_what_was_written(tmp_path):
    rng = np.random.default_rng(1)
    rows = [row(rng) for _ in range(3)]
    with open(tmp_path / "a.parquet", "wb") as file:
        assert write_rows([encoded for encoded, _ in rows], file) == 3
    opened = open_pairs(str(tmp_path))
    assert len(opened) == 3
    for stored, (_, truth) in zip(opened, rows, strict=True):
        pair = decode_pair(stored)
        np.testing.assert_array_equal(pair["mask"], truth["mask"])
        assert np.abs(pair["image"].astype(int) - truth["image"]).max() <= 3


def test_a_folder_without_shards_names_the_command_that_makes_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="df2net synthesize"):
        open_pairs(str(tmp_path))
