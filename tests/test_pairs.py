"""Pairs survive the format to its stated quantum; damaged ones are refused."""

import numpy as np
import pytest

from df2net_hub.pairs import (
    decode_depth,
    decode_normals,
    decode_pair,
    decode_picture,
    encode_depth,
    encode_mask,
    encode_normals,
    encode_row,
    open_pairs,
    open_shard,
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


def test_normals_come_back_to_half_a_step_and_mask_and_gaps_exactly():
    rng = np.random.default_rng(2)
    normals = rng.normal(size=(24, 24, 3)) * [1, 1, 0.3]
    normals[..., 2] = np.abs(normals[..., 2])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    normals[rng.random((24, 24)) < 0.2] = np.nan
    back = decode_normals(encode_normals(normals))
    np.testing.assert_array_equal(np.isnan(back), np.isnan(normals))
    # Half a step in each component, and as much again when the length is brought back to 1.
    assert np.nanmax(np.abs(back - normals)) <= 1 / 127.5
    mask = rng.random((24, 24)) < 0.5
    np.testing.assert_array_equal(decode_picture(encode_mask(mask)) > 127, mask)


def shard(path, rows: int = 3) -> list[dict]:
    rng = np.random.default_rng(1)
    made = [row(rng) for _ in range(rows)]
    with open(path, "wb") as file:
        write_rows([encoded for encoded, _ in made], file)
    return [truth for _, truth in made]


def test_a_stream_gives_what_a_loaded_set_gives(tmp_path, capfd):
    shard(tmp_path / "a.parquet", 60)  # more than one row group
    (tmp_path / "part").mkdir()
    shard(tmp_path / "part" / "b.parquet", 2)
    loaded, stream = open_pairs(str(tmp_path)), open_pairs(str(tmp_path), streaming=True)
    assert len(loaded) == 62
    for one, other in zip(loaded, stream, strict=True):
        assert one["image"]["bytes"] == other["image"]["bytes"]
        np.testing.assert_array_equal(decode_pair(one)["depth"], decode_pair(other)["depth"])
        assert one["camera"] == other["camera"]
    assert capfd.readouterr().err == ""  # no bars of `datasets` among our own


def test_row_groups_are_short_and_pictures_stored_as_they_are(tmp_path):
    shard(tmp_path / "a.parquet", 60)
    metadata = open_shard(tmp_path / "a.parquet").metadata
    assert [metadata.row_group(group).num_rows for group in range(2)] == [50, 10]
    group = metadata.row_group(0)
    columns = {column.path_in_schema: column for column in map(group.column, range(13))}
    assert columns["depth.bytes"].compression == "UNCOMPRESSED"
    assert columns["source"].compression == "SNAPPY"


def test_rows_of_another_schema_are_refused(tmp_path):
    encoded, _ = row(np.random.default_rng(0))
    with open(tmp_path / "a.parquet", "wb") as file:
        with pytest.raises(ValueError, match=r"a: columns \['extra'\] are missing or odd"):
            write_rows([encoded | {"extra": 1}], file)
        del encoded["light"]
        with pytest.raises(ValueError, match=r"\['light'\]"):
            write_rows([encoded], file)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "damage", [lambda data: data[:-30], lambda data: b"", lambda data: b"x" * 99]
)
def test_a_damaged_shard_is_named(tmp_path, damage, streaming):
    shard(tmp_path / "good.parquet")
    bad = tmp_path / "torn.parquet"
    bad.write_bytes(damage((tmp_path / "good.parquet").read_bytes()))
    with pytest.raises(ValueError, match="torn.parquet is damaged or no Parquet file"):
        open_pairs(str(tmp_path), streaming=streaming)


def test_a_table_without_pairs_is_refused(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    pq.write_table(pa.table({"image": [b"x"], "text": ["y"]}), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="column 'depth' is missing; found"):
        open_pairs(str(tmp_path))


def test_a_folder_without_shards_names_the_command_that_makes_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="df2net synthesize"):
        open_pairs(str(tmp_path))
