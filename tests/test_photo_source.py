"""Photos by number, from folders and `datasets` sets."""

import io

import numpy as np
import pytest
from PIL import Image

from df2net_hub.photo_source import PhotoSource
from df2net_hub.photos import PhotoError


def encoded(color: tuple[int, int, int], size: int = 40) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), color).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def parquet(tmp_path):
    """A set of four: two pictures, none, and bytes that are no picture."""
    from datasets import Dataset, Features, Value
    from datasets import Image as Picture

    stored = [encoded((255, 0, 0)), encoded((0, 0, 255)), None, b"no picture"]
    rows = {
        "face": [value and {"bytes": value, "path": None} for value in stored],
        "age": [1, 2, 3, 4],
    }
    features = Features({"face": Picture(), "age": Value("int64")})
    (tmp_path / "data").mkdir()
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "data" / "a.parquet")
    return str(tmp_path)


def test_a_folder_gives_its_photos_sorted_by_name(tmp_path) -> None:
    for name, color in (("b.png", (0, 9, 0)), ("a.png", (9, 0, 0))):
        (tmp_path / name).write_bytes(encoded(color))
    (tmp_path / "readme.txt").write_text("")
    source = PhotoSource.find(str(tmp_path))
    read = source.open()
    assert source.count == 2 and [read(index).name for index in (0, 1)] == ["a.png", "b.png"]
    assert read(0).pixels[0, 0].tolist() == [9, 0, 0]


def test_a_set_gives_the_pictures_of_its_column(parquet) -> None:
    source = PhotoSource.find(parquet, "face")
    read = source.open()
    assert source.count == 4 and read(1).name == "0000001"
    np.testing.assert_array_equal(read(1).pixels[5, 5], [0, 0, 255])


@pytest.mark.parametrize(("index", "message"), [(2, "holds no picture"), (3, "no readable")])
def test_a_row_without_a_picture_is_named(parquet, index, message) -> None:
    with pytest.raises(PhotoError, match=f"row {index} .*{message}"):
        PhotoSource.find(parquet, "face").open()(index)


def test_a_column_that_holds_no_pictures_is_named(parquet) -> None:
    for column in ("image", "age"):
        with pytest.raises(ValueError, match=f"named '{column}'; there are face"):
            PhotoSource.find(parquet, column)


def test_an_empty_folder_and_a_wrong_name_are_errors(tmp_path) -> None:
    with pytest.raises(ValueError, match="no photograph in the folder"):
        PhotoSource.find(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="is no folder"):
        PhotoSource.find("photos-that-are-not-there")
    (tmp_path / "x.jpg").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="is no folder"):
        PhotoSource.find(str(tmp_path / "x.jpg"))


def test_a_damaged_parquet_file_is_named(tmp_path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(ValueError, match=r"a\.parquet is damaged"):
        PhotoSource.find(str(tmp_path))
