"""DF2Net, the cascade: the one place that says dense -> fine -> finer. DF2Net (ICCV 2019) Sec. 3.1.

The paper adds Fr-Net's residual to the fine depth; the authors' release returns
dense + 3 x residual.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.modeling.base import StageModel, parse_config, read_json, require, staged_folder
from df2net_hub.registry import create_model, model_entry, name_of, register_model

INDEX_FILE = "model_index.json"
SLOTS = ("dense", "fine", "finer")


class Stages(NamedTuple):
    """What the three networks say of a photo, all (B,1,H,W) network depth but the last."""

    dense: Tensor
    fine: Tensor
    residual: Tensor
    finer: Tensor
    mask_logits: Tensor | None  # (B,1,H,W), None without D-Net's mask head


@dataclass(frozen=True)
class DF2NetConfig:
    """Which networks, and how the last is joined; the defaults are the paper's."""

    dense: str = "dnet_base"  # registered names
    fine: str = "fnet_base"
    finer: str = "frnet_base"
    residual_on: str = "fine"  # fine (paper), dense (release), none: the last output is the depth
    residual_gain: float = 1.0  # 3 in the release
    mirror: bool = False  # ours: all maps are means over the photo and its mirror image
    zooms: tuple[float, ...] = (1.0,)  # ours: dense also over the photo magnified by each of these

    def __post_init__(self) -> None:
        require(
            len(self.zooms) > 0 and all(0.5 <= zoom <= 2 for zoom in self.zooms),
            f"DF2NetConfig.zooms must be one or more numbers from 0.5 to 2, got {self.zooms}",
        )
        known = ("fine", "dense", "none")
        require(
            self.residual_on in known,
            f"DF2NetConfig.residual_on must be one of {', '.join(known)}, got {self.residual_on!r}",
        )


@register_model(
    "df2net_plain",
    slot="cascade",
    config=DF2NetConfig(finer="frnet_plain"),
    description="Sec. 4.1: Fr-Net without multi-resolution blocks",
)
@register_model(
    "df2net_stacked",
    slot="cascade",
    config=DF2NetConfig(finer="fnet_base", residual_on="none"),
    description="Sec. 4.1: two F-Nets stacked, no residual",
)
@register_model(
    "df2net_release",
    slot="cascade",
    config=DF2NetConfig(residual_on="dense", residual_gain=3.0),
    license="none given by the authors",
    description="the authors' release; its weights come by `df2net convert`",
)
@register_model(
    "df2net_base", slot="cascade", config=DF2NetConfig(), description="the paper's widths"
)
@register_model(
    "df2net_small",
    slot="cascade",
    config=DF2NetConfig(
        "dnet_residual", "fnet_residual", "frnet_residual", mirror=True, zooms=(0.94, 1.06)
    ),
    description="ours, for laptops: one residual U-Net at 128, 256 and 512 px",
)
class DF2Net(nn.Module):
    """Three networks in a row.

    Args:
        config: what to build. dense, fine, finer: networks to use in place of freshly built ones.
    """

    def __init__(
        self,
        config: DF2NetConfig = DF2NetConfig(),
        dense: nn.Module | None = None,
        fine: nn.Module | None = None,
        finer: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.dense = dense or create_model(config.dense)
        self.fine = fine or create_model(config.fine)
        self.finer = finer or create_model(config.finer)

    def forward(self, photo: Tensor, seen: tuple[Tensor, Tensor | None] | None = None) -> Stages:
        """All stages of `photo` (B,3,H,W) in [-1,1]; `seen` is what `see` says of it, if known."""
        dense, mask_logits = seen or self.see(photo)  # (B,1,H,W) each
        fine = self.refine(photo, dense)  # (B,1,H,W)
        last = self.relief(photo, fine)  # (B,1,H,W)
        residual = last - fine if self.config.residual_on == "none" else last
        return Stages(dense, fine, residual, self.join(dense, fine, last), mask_logits)

    def see(self, photo: Tensor) -> tuple[Tensor, Tensor | None]:
        """Dense depth (B,1,H,W) and mask logits (B,1,H,W), None without D-Net's mask head."""
        looks = [self._look(photo, zoom) for zoom in self.config.zooms]  # (B,1|2,H,W) each
        maps = torch.stack(looks).mean(0)
        return maps[:, :1], maps[:, 1:2] if maps.shape[1] > 1 else None

    def _look(self, photo: Tensor, zoom: float) -> Tensor:
        """D-Net's maps (B,1|2,H,W) of `photo` magnified by `zoom`, as large as the photo again."""
        larger = magnified(photo, zoom)
        maps = self.dense(larger)  # (B,1|2,H,W)
        if self.config.mirror:
            maps = (maps + self.dense(larger.flip(-1)).flip(-1)) / 2
        if zoom == 1:
            return maps
        depth, logits = maps[:, :1] / zoom, maps[:, 1:]  # relief is magnified like any length
        return magnified(torch.cat([depth, logits], 1), 1 / zoom)

    def refine(self, photo: Tensor, dense: Tensor) -> Tensor:
        """Fine depth (B,1,H,W) of `photo` (B,3,H,W), given its dense depth (B,1,H,W)."""
        return self._both_ways(self.fine, photo, dense)

    def relief(self, photo: Tensor, fine: Tensor) -> Tensor:
        """What Fr-Net makes of `photo` (B,3,H,W) and its fine depth (B,1,H,W), see `join`."""
        return self._both_ways(self.finer, photo, fine)

    def _both_ways(self, network: nn.Module, photo: Tensor, depth: Tensor) -> Tensor:
        """A refining network's map (B,1,H,W), or the mean with that of the mirror image."""
        maps = network(photo, depth)
        if not self.config.mirror:
            return maps
        return (maps + network(photo.flip(-1), depth.flip(-1)).flip(-1)) / 2

    def join(self, dense: Tensor, fine: Tensor, last: Tensor) -> Tensor:
        """The finer depth from the last network's output."""
        if self.config.residual_on == "none":
            return last
        onto = fine if self.config.residual_on == "fine" else dense
        return onto + self.config.residual_gain * last

    def to_folder(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write model_index.json and one subfolder per network; see `save_weights` for `dtype`."""
        index: dict[str, Any] = {"_class_name": "DF2NetPipeline", **asdict(self.config)}
        with staged_folder(Path(folder)) as staged:
            for slot in SLOTS:
                network = getattr(self, slot)
                index[slot] = name_of(network)
                (staged / slot).mkdir()
                network.save_weights(staged / slot, dtype)
            text = json.dumps(index, indent=2) + "\n"
            (staged / INDEX_FILE).write_text(text, encoding="utf-8")

    @classmethod
    def from_folder(cls, folder: str | Path) -> "DF2Net":
        """Load a cascade that `to_folder` wrote, in evaluation mode.

        Raises:
            FileNotFoundError: a file is missing.
            LookupError: a network's name is not in the zoo.
            ValueError: a config or weights that do not fit; names file and key.
        """
        folder = Path(folder)
        index = read_json(folder / INDEX_FILE)
        values = {key: value for key, value in index.items() if key != "_class_name"}
        config = parse_config(DF2NetConfig, values, str(folder / INDEX_FILE))
        networks = {}
        for slot in SLOTS:
            network_class = model_entry(getattr(config, slot)).cls
            if not issubclass(network_class, StageModel):
                raise ValueError(
                    f"{folder / INDEX_FILE}: {slot} = {getattr(config, slot)!r} is a "
                    f"{network_class.__name__}, which is not a stage network"
                )
            networks[slot] = network_class.from_folder(folder / slot)
        return cls(config, **networks).eval()


def magnified(maps: Tensor, zoom: float) -> Tensor:
    """`maps` (B,C,H,W) magnified by `zoom` about their middle; edges are repeated outward."""
    if zoom == 1:
        return maps
    shrink = torch.tensor([[1 / zoom, 0, 0], [0, 1 / zoom, 0]], device=maps.device)
    places = F.affine_grid(shrink.expand(len(maps), -1, -1), list(maps.shape), align_corners=False)
    # Clamped to the middles of the outermost pixels, which `padding_mode="border"` would do, had
    # Apple's GPUs got it before torch 2.13.
    height, width = maps.shape[-2:]
    outermost = 1 - 1 / torch.tensor([width, height], device=maps.device)
    places = places.clamp(-outermost, outermost)
    return F.grid_sample(maps, places.to(maps.dtype), align_corners=False)
