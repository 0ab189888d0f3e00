"""Photos by number: the files of a folder, or the rows of a `datasets` set with an image column."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from df2net_hub.batch import find_photos
from df2net_hub.pairs import open_pictures
from df2net_hub.photos import PhotoError, load_photo


@dataclass(frozen=True)
class NamedPhoto:
    """One photo.

    Attributes:
        name: unique in its source; of a file its name.
        pixels: (H,W,3) uint8 sRGB, upright.
    """

    name: str
    pixels: np.ndarray


@dataclass(frozen=True)
class PhotoSource:
    """Photos of one folder or one `datasets` set; plain values that travel to worker processes.

    Attributes:
        place: the folder, or "owner/name" on the hub.
        files: names of the folder's photos, in order; empty for a `datasets` set.
        column: of a `datasets` set, which holds the photos.
        count: number of photos.
    """

    place: str
    files: tuple[str, ...]
    column: str
    count: int

    @classmethod
    def find(cls, place: str, column: str = "image") -> "PhotoSource":
        """The photos of `place`: a folder of photos or of Parquet files, or a set of the hub.

        Raises:
            ValueError: the folder holds no photo, or the set has no such column.
            FileNotFoundError: neither a folder nor of the form owner/name.
        """
        folder = Path(place)
        if folder.is_dir() and not any(folder.glob("**/*.parquet")):
            names = tuple(path.name for path in find_photos([place]))
            return cls(place, names, column, len(names))
        if not folder.is_dir() and (folder.exists() or place.count("/") != 1):
            raise FileNotFoundError(
                f"{place!r} is no folder; give a folder of photos, or a `datasets` set as a folder "
                "of .parquet files or as owner/name on the hub"
            )
        return cls(place, (), column, len(open_pictures(place, column)))

    def open(self) -> Callable[[int], NamedPhoto]:
        """What gives photo `index`; it raises PhotoError for one that cannot be used."""
        if self.files:
            folder = Path(self.place)
            return lambda index: NamedPhoto(
                self.files[index], load_photo(folder / self.files[index])
            )
        rows = open_pictures(self.place, self.column)
        return lambda index: self._of_row(rows[index][self.column], index)

    def _of_row(self, stored: dict[str, Any] | None, index: int) -> NamedPhoto:
        name = f"row {index}"
        if stored is None or not (stored.get("bytes") or stored.get("path")):
            raise PhotoError(f"{name} of {self.place} holds no picture")
        if not stored.get("bytes"):
            return NamedPhoto(f"{index:07d}", load_photo(stored["path"]))
        try:
            with Image.open(io.BytesIO(stored["bytes"])) as image:
                return NamedPhoto(f"{index:07d}", load_photo(image))
        except PhotoError as error:
            raise PhotoError(f"{name} of {self.place}: {error}") from error
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise PhotoError(f"{name} of {self.place} is no readable picture: {error}") from error
