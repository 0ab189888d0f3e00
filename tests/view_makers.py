"""Makers of tiny views with known truth; a module of its own, as several tests share it."""

from pathlib import Path

import numpy as np

from df2net_hub.evaluating.views import View

SIZE, MM_PER_PX = 64, 2.0


def dome(size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """A smooth height (size,size) [mm] with a nose, NaN off a round mask, and that mask."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    depth = 60 * np.sqrt(np.clip(1.2 - x * x - y * y, 0, None))
    depth += 20 * np.exp(-(x * x + y * y) / 0.02)
    mask = x * x + y * y < 0.7
    return np.where(mask, depth, np.nan).astype(np.float32), mask


def wrinkles(size: int = SIZE) -> np.ndarray:
    """Waves 3 px long and 1 mm deep."""
    return np.sin(np.arange(size) * 2 * np.pi / 3).astype(np.float32)[None].repeat(size, 0)


def landmarks68(size: int = SIZE) -> np.ndarray:
    """(68,2): the jaw on the lower half of a circle, the brows on a line, the rest inside."""
    around = np.linspace(np.pi, 0, 17)
    jaw = 0.5 + np.column_stack([np.cos(around), np.sin(around)]) / 3
    brows = np.column_stack([np.linspace(0.2, 0.8, 10), np.full(10, 0.3)])
    ridge = np.column_stack([np.full(4, 0.5), np.linspace(0.4, 0.54, 4)])
    base = np.column_stack([np.linspace(0.44, 0.56, 5), np.full(5, 0.58)])
    # Six places around an eye from one corner on, over the upper lid; twelve around the lips.
    eye = np.array(
        [[-0.07, 0], [-0.03, -0.04], [0.03, -0.04], [0.07, 0], [0.03, 0.04], [-0.03, 0.04]]
    )
    turn = np.linspace(np.pi, 3 * np.pi, 12, endpoint=False)
    lips = np.column_stack([0.1 * np.cos(turn), 0.03 * np.sin(turn)])
    mouth = [[0.5, 0.7] + lips, [0.5, 0.7] + 0.5 * lips[[0, 2, 3, 4, 6, 8, 9, 10]]]
    eyes = [[0.36, 0.4] + eye, [0.64, 0.4] + eye]
    return (size * np.vstack([jaw, brows, ridge, base, *eyes, *mouth])).astype(np.float32)


def view(name: str = "a", **changes) -> View:
    """A view of the dome."""
    depth, mask = dome()
    photo = np.full((*mask.shape, 3), 128, np.uint8)
    given = {"landmarks": landmarks68(), "identity": name, "traits": {"yaw": 20.0}, **changes}
    return View(name, photo, depth, mask, MM_PER_PX, False, **given)


def write_view(folder: Path, stem: str, **changes: object) -> Path:
    """The dome as an `.npz`; `changes` replace arrays, None leaves one out."""
    depth, mask = dome()
    arrays = {
        "photo": np.full((*mask.shape, 3), 128, np.uint8),
        "depth_mm": depth,
        "mask": mask,
        "mm_per_px": MM_PER_PX,
        "landmarks68": landmarks68(),
        "yaw": 20.0,
        **changes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.npz"
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path
