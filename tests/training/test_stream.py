"""Streaming: readers share no row and miss none, and can begin anywhere."""

import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from training_runs import logged, quick, same_weights

from df2net_hub.pairs import encode_row, write_rows
from df2net_hub.training.loader import Batches, PairStream
from df2net_hub.training.run import train
from df2net_hub.training.stream import StreamedRows

KINDS = ("morphable", "reconstructed", "fine")


def small_row(number: int, source: str = "morphable") -> dict:
    image = np.full((8, 8, 3), number % 250, np.uint8)
    return encode_row(id=f"row{number:04d}", source=source, image=image, mask=image[..., 0] >= 0)


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> str:
    """473 rows in shards of uneven length, row groups of 50."""
    folder, first = tmp_path_factory.mktemp("shards"), 0
    for number, length in enumerate((170, 3, 300)):
        rows = [small_row(first + row) for row in range(length)]
        with open(folder / f"{number}.parquet", "wb") as file:
            write_rows(rows, file)
        first += length
    return str(folder)


def names(rows: StreamedRows, reader: int, readers: int, first: int, count: int) -> list[str]:
    return [name for _, _, name, _ in islice(rows.read(reader, readers, first), count)]


@pytest.mark.parametrize("readers", [1, 2, 3, 8])
def test_readers_see_every_row_once_in_each_pass(shards, readers):
    rows = StreamedRows(shards, ("image", "mask"), KINDS, seed=4)
    lengths = [len(rows.span(reader, readers)) for reader in range(readers)]
    assert sum(lengths) == 473 and max(lengths) - min(lengths) <= 1
    passes = []
    for turn in range(2):
        seen = [
            name
            for reader, length in enumerate(lengths)
            for name in names(rows, reader, readers, turn * length, length)
        ]
        assert sorted(seen) == [f"row{number:04d}" for number in range(473)]
        passes.append(seen)
    assert passes[0] != passes[1] and passes[0] != sorted(passes[0])


@pytest.mark.parametrize("first", [0, 1, 49, 157, 158, 400])
def test_a_reader_can_begin_anywhere(shards, first):
    rows = StreamedRows(shards, ("image", "mask"), KINDS, seed=4)
    assert names(rows, 1, 3, first, 60) == names(rows, 1, 3, 0, first + 60)[first:]


def test_the_picture_belongs_to_its_row(shards):
    rows = StreamedRows(shards, ("image", "mask"), KINDS, seed=4)
    for _, _, name, pair in islice(rows.read(0, 1), 473):
        assert abs(int(pair["image"].mean()) - int(name[3:]) % 250) <= 1


@pytest.mark.parametrize(("workers", "step"), [(0, 1), (1, 4), (2, 1), (2, 4)])
def test_loaders_that_begin_later_give_what_the_first_give_there(
    shards, tiny, tmp_path, workers, step
):
    config = quick(shards, tiny, tmp_path, streaming=True, workers=workers, augment=False)
    config = config.for_stage("dense")
    batches = Batches(config, ("image", "mask"), 1, 2)
    whole = [batch["id"] for batch in islice(iter(batches.loader(0)), 9)]
    later = [batch["id"] for batch in islice(iter(batches.loader(step)), 9 - step)]
    assert later == whole[step:] and len(whole[0]) == 4


def test_mixed_streams_keep_their_shares(shards, tiny, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    with open(other / "0.parquet", "wb") as file:
        write_rows([small_row(9000 + row) for row in range(20)], file)
    config = quick(shards, tiny, tmp_path, augment=False).for_stage("dense")
    config = replace(config, dataset=(shards, str(other)), mix=(3.0, 1.0))
    sets = [StreamedRows(name, ("image", "mask"), KINDS, 0) for name in config.dataset]
    stream = PairStream(config, sets, 0, 1, 4, 0)
    seen = [sample["id"] for sample in islice(stream, 80)]
    assert sum(name.startswith("row9") for name in seen) == 20
    assert len(set(seen)) == 80


def test_only_rows_of_the_wanted_kinds_are_read(tmp_path):
    sources = ["morphable", "fine", "reconstructed"] * 40
    with open(tmp_path / "0.parquet", "wb") as file:
        write_rows([small_row(n, source) for n, source in enumerate(sources)], file)
    rows = StreamedRows(str(tmp_path), ("image", "mask"), ("fine",), 0)
    assert len(rows) == 40
    assert sorted(names(rows, 0, 1, 0, 40)) == [f"row{n:04d}" for n in range(1, 120, 3)]
    with pytest.raises(ValueError, match="no rows of kind fine"):
        StreamedRows(_only(tmp_path / "only"), ("image", "mask"), ("fine",), 0)


def _only(folder: Path) -> str:
    folder.mkdir()
    with open(folder / "0.parquet", "wb") as file:
        write_rows([small_row(0)], file)
    return str(folder)


def test_a_url_of_another_file_system_is_read_too(shards):
    from fsspec.implementations.memory import MemoryFileSystem

    memory = MemoryFileSystem()
    for path in Path(shards).glob("*.parquet"):
        memory.pipe(f"/pairs/{path.name}", path.read_bytes())
    rows = StreamedRows("memory://pairs", ("image", "mask"), KINDS, seed=4)
    local = StreamedRows(shards, ("image", "mask"), KINDS, seed=4)
    assert names(rows, 0, 2, 0, 100) == names(local, 0, 2, 0, 100)


def test_a_run_on_streamed_shards_trains_and_resumes(pairs, tiny, tmp_path):
    knobs = {"streaming": True, "save_every": 4, "keep": 9, "epochs": 3}
    whole = train(quick(pairs, tiny, tmp_path / "whole", **knobs))
    train(quick(pairs, tiny, tmp_path / "parts", **knobs))
    for step in (8, 9):
        shutil.rmtree(tmp_path / "parts" / "checkpoints" / f"step_{step:08d}")
    resumed = train(quick(pairs, tiny, tmp_path / "parts", **knobs, resume=True))
    assert logged(tmp_path / "whole")[-1]["step"] == 9 and same_weights(whole, resumed)


def test_bad_streams_are_errors_that_say_where(shards, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no .parquet shards"):
        StreamedRows(str(tmp_path), ("image", "mask"), KINDS, 0)
    with pytest.raises(ValueError, match="no column 'relief'"):
        StreamedRows(shards, ("image", "relief"), KINDS, 0)
    (tmp_path / "0.parquet").write_bytes(b"PAR1 no parquet")
    with pytest.raises(ValueError, match="0.parquet is damaged or no Parquet file"):
        StreamedRows(str(tmp_path), ("image", "mask"), KINDS, 0)
    with pytest.raises(ValueError, match="row row0000 has no depth, which this stage's losses"):
        rows = StreamedRows(_only(tmp_path / "bare"), ("image", "mask", "depth"), KINDS, 0)
        next(rows.read(0, 1))
