"""The paper's first kind of training pairs (Sec. 3.2): rendered from a morphable head."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from df2net_hub.pairs import encode_row
from df2net_hub.shards import Row, SetReport, rows_per_shard, write_set
from df2net_hub.synthesis.asset_folder import PICTURES, PLACES
from df2net_hub.synthesis.recipe import SynthesisRecipe
from df2net_hub.synthesis.sampling import HeadSampler

ASSET_SUFFIXES = (".npz", *PICTURES)


@dataclass(frozen=True)
class RenderedPairs:
    """The maker of rendered pairs: pair `index` depends on these values and the index alone.

    Attributes:
        assets: folder with morphable head, skins and light; None renders the procedural head.
        seed: names the set.
        size: side of the pictures [px].
        synthesis: the protocol, and the ingredients left out.
    """

    assets: str | None = None
    seed: int = 0
    size: int = 512
    synthesis: SynthesisRecipe = SynthesisRecipe()

    def __post_init__(self) -> None:
        if self.assets is not None and not Path(self.assets).is_dir():
            raise FileNotFoundError(
                f"no folder {self.assets}; docs/assets.md says what belongs in it"
            )
        if self.size < 32 or self.seed < 0:
            raise ValueError(
                f"size must be 32 px or more and seed 0 or more, got {self.size} and {self.seed}"
            )

    @property
    def name(self) -> str:
        """Names the set in its folder."""
        return f"seed{self.seed}"

    def recipe(self) -> dict[str, Any]:
        """What defines the set, for its manifest: of the assets what they are, not where."""
        heads = "procedural" if self.assets is None else assets_mark(Path(self.assets))
        drawn = {"seed": self.seed, "size": self.size, "preset": self.synthesis.preset}
        left_out = {"without": list(self.synthesis.without)} if self.synthesis.without else {}
        return {"source": "morphable", "heads": heads, **drawn, **left_out}

    def open(self) -> Callable[[int], Row | str]:
        """Load the assets: seconds, and 0.4 GB for a full morphable model."""
        if self.assets is None:
            sampler = HeadSampler.procedural(self.synthesis)
        else:
            sampler = HeadSampler.from_folder(self.assets, self.size, self.synthesis)
        return lambda index: self._row(sampler, index)

    def _row(self, sampler: HeadSampler, index: int) -> Row:
        pair = sampler.pair(self.seed, index, self.size)
        return encode_row(
            id=f"{self.seed}-{index:07d}",
            source="morphable",
            identity=pair.identity,
            image=pair.image,
            depth=pair.depth,
            mask=pair.mask,
            albedo=pair.albedo,
            normals=pair.normals,
            light=pair.light,
            landmarks=pair.landmarks,
            camera={
                "yaw": pair.yaw,
                "pitch": pair.pitch,
                "roll": pair.roll,
                "mm_per_px": pair.mm_per_px,
                "distance_mm": pair.distance_mm,
            },
            traits=pair.traits,
        )


def assets_mark(folder: Path) -> str:
    """Tells folders of assets apart by the names and sizes of the files that are rendered from."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ASSET_SUFFIXES)
    used = [path for path in files if path.relative_to(folder).parts[0] in PLACES]
    lines = [f"{path.relative_to(folder).as_posix()} {path.stat().st_size}" for path in used]
    return f"assets {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:12]}"


def make_pairs(
    folder: str | Path,
    count: int,
    *,
    assets: str | None = None,
    size: int = 512,
    seed: int = 0,
    workers: int = 1,
) -> SetReport:
    """Render pairs 0 to `count` - 1 of set `seed` into `folder`; see `shards.write_set`."""
    maker = RenderedPairs(assets, seed, size)
    rows = rows_per_shard(size)
    return write_set(
        folder, maker.name, maker, count, maker.recipe(), rows_per_shard=rows, workers=workers
    )
