"""Many photographs to files on disk: which photos, under which names, what became of each."""

import glob
import itertools
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from df2net_hub.export import save_picture
from df2net_hub.faces import Detector, FaceBox
from df2net_hub.photos import PhotoError
from df2net_hub.pipelines.df2net import DF2NetPipeline

PHOTO_SUFFIXES = tuple(".jpg .jpeg .png .webp .bmp .tif .tiff .gif .jp2 .avif".split())


@dataclass(frozen=True)
class Outcome:
    """What became of one photograph."""

    photo: Path
    num_faces: int = 0
    files: tuple[Path, ...] = ()
    error: str | None = None  # one line; None if all went well, with or without a face


def find_photos(inputs: Iterable[str]) -> list[Path]:
    """The photographs that `inputs` name: files as they are, what folders and patterns hold.

    In the order of `inputs`, sorted inside each, without repetition. A name that leads nowhere
    stays in the list, so that reading it says what is wrong.
    """
    found: dict[Path, None] = {}
    for name in inputs:
        path = Path(name)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES)
            if not inside:
                raise ValueError(
                    f"no photograph in the folder {name!r}; looked for {' '.join(PHOTO_SUFFIXES)}"
                )
        elif path.exists() or not glob.has_magic(name):
            inside = [path]
        else:
            inside = sorted(Path(match) for match in glob.glob(name, recursive=True))
            if not inside:
                raise ValueError(f"no file matches the pattern {name!r}")
        found.update(dict.fromkeys(inside))
    return list(found)


def output_stems(photos: Iterable[Path]) -> list[str]:
    """A file name without suffix for each photo: its own, numbered where it is taken already.

    Also by the further faces of another photo; capitals do not tell names apart.
    """
    stems: list[str] = []
    taken: set[str] = set()
    with_faces: set[str] = set()  # a photo of this name could write one of the taken
    for photo in photos:
        for stem in itertools.chain(
            [photo.stem], (f"{photo.stem}-{number}" for number in itertools.count(2))
        ):
            name = stem.casefold()
            photo_of_it = re.sub(r"-face\d+$", "", name)
            if taken.isdisjoint((name, photo_of_it)) and name not in with_faces:
                break
        stems.append(stem)
        taken.add(name)
        if photo_of_it != name:
            with_faces.add(photo_of_it)
    return stems


def check_writable(folder: Path) -> None:
    """Make `folder` and prove that a file can be written there, before any work is done for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(
            f"cannot write to the folder {str(folder)!r} ({error.strerror}); name another one"
        ) from error


def reconstruct_photo(
    pipe: DF2NetPipeline,
    photo: Path,
    folder: Path,
    stem: str,
    formats: Sequence[str] = ("glb",),
    detector: str | Detector = "dlib",
    box: FaceBox | None = None,
) -> Outcome:
    """Reconstruct one photo into `folder`; an unreadable photo gives an `Outcome` with an error."""
    try:
        result = pipe(photo, detector=detector, box=box)
        files = []
        for number, face in enumerate(result.faces, start=1):
            face_stem = stem if number == 1 else f"{stem}-face{number}"
            files += face.save(folder, face_stem, formats)
            files.append(save_picture(face.preview(), folder / f"{face_stem}_preview.png"))
    except PhotoError as error:  # names the photo
        return Outcome(photo, error=str(error))
    except (OSError, ValueError) as error:  # a full disk, a box outside the photo
        return Outcome(photo, error=f"{photo}: {error}")
    return Outcome(photo, len(result.faces), tuple(files))
