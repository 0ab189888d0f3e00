"""What is minimized: the losses by name, each a function of what the stage saw and said."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from torch import Tensor

from df2net_hub.albedo_losses import albedo_edge_loss, albedo_level_loss, albedo_loss
from df2net_hub.losses import (
    cosine_loss,
    depth_loss,
    edge_aware_loss,
    erode,
    gradient_loss,
    mask_loss,
    network_normals,
    normal_loss,
    scale_shift_invariant_loss,
    shading_loss,
)
from df2net_hub.released_shading import released_shading_loss
from df2net_hub.srgb import to_linear
from df2net_hub.training.presets import LossWeights


@dataclass(frozen=True)
class Seen:
    """A batch and what a stage made of it.

    Attributes:
        batch: image (B,3,H,W) in [-1,1], mask (B,1,H,W), and what else was loaded.
        depth: (B,1,H,W) the stage's depth; None of AlbedoNet.
        mask_logits: (B,1,H,W), None without a mask head.
        target_depth: (B,1,H,W) that it is compared with; None if not loaded.
        albedo: (B,3,H,W) in [0,1] of AlbedoNet; None of the others.
        given: (B,1,H,W) depth that the stage refines; None of D-Net and AlbedoNet.
        side: of the crop [px], if these are windows of it.
    """

    batch: dict[str, Any]
    depth: Any = None
    mask_logits: Any = None
    target_depth: Any = None
    albedo: Any = None
    given: Any = None
    side: int | None = None

    def first(self, count: int) -> "Seen":
        """The first `count` photos."""
        batch = {name: values[:count] for name, values in self.batch.items()}
        names = ("depth", "mask_logits", "target_depth", "albedo", "given")
        shown = {name: getattr(self, name) for name in names}
        cut = {name: None if one is None else one[:count] for name, one in shown.items()}
        return replace(self, batch=batch, **cut)

    @property
    def mask(self) -> Tensor:
        return self.batch["mask"]

    @property
    def photo(self) -> Tensor:
        """(B,3,H,W) in [0,1], sRGB."""
        return (self.batch["image"] + 1) / 2

    @cached_property
    def inner(self) -> Tensor:
        """The pixels that have normals."""
        return erode(self.mask)

    @cached_property
    def normals(self) -> Tensor:
        return network_normals(self.depth, self.side)

    @cached_property
    def target_normals(self) -> Tensor:
        return network_normals(self.target_depth, self.side)

    @cached_property
    def albedos(self) -> tuple[Tensor, Tensor, Tensor]:
        """Prediction and truth in linear light, and the mask."""
        return to_linear(self.albedo), to_linear(self.batch["albedo"]), self.mask


def _shading(seen: Seen) -> Tensor:
    image, albedo = to_linear(seen.photo), to_linear(seen.batch["albedo"])
    return shading_loss(image, albedo, seen.normals, seen.target_normals, seen.inner)


def _released_shading(seen: Seen) -> Tensor:
    depths = seen.depth, seen.target_depth
    return released_shading_loss(seen.photo, seen.batch["albedo"], *depths, seen.inner)


@dataclass(frozen=True)
class Term:
    """A loss and the columns that it reads besides image and mask."""

    loss: Callable[[Seen], Tensor]
    columns: tuple[str, ...] = ()


TERMS: dict[str, Term] = {
    "depth": Term(lambda seen: depth_loss(seen.depth, seen.target_depth, seen.mask), ("depth",)),
    "normal": Term(
        lambda seen: normal_loss(seen.normals, seen.target_normals, seen.inner), ("depth",)
    ),
    "cosine": Term(
        lambda seen: cosine_loss(seen.normals, seen.target_normals, seen.inner), ("depth",)
    ),
    "shading": Term(_shading, ("depth", "albedo")),
    "released_shading": Term(_released_shading, ("depth", "albedo")),
    "mask": Term(lambda seen: mask_loss(seen.mask_logits, seen.mask)),
    "gradient": Term(
        lambda seen: gradient_loss(seen.depth, seen.target_depth, seen.mask), ("depth",)
    ),
    "scale_shift": Term(
        lambda seen: scale_shift_invariant_loss(seen.depth, seen.target_depth, seen.mask),
        ("depth",),
    ),
    "smooth": Term(lambda seen: edge_aware_loss(seen.depth, seen.photo, seen.mask)),
    "albedo": Term(lambda seen: albedo_loss(*seen.albedos), ("albedo",)),
    "albedo_edge": Term(lambda seen: albedo_edge_loss(*seen.albedos), ("albedo",)),
    "albedo_level": Term(lambda seen: albedo_level_loss(*seen.albedos), ("albedo",)),
}


def used_terms(weights: LossWeights) -> dict[str, float]:
    """Weight of each loss that counts."""
    given = {one.name: getattr(weights, one.name) for one in fields(weights)}
    return {name: weight for name, weight in given.items() if weight}


def columns_for(weights: LossWeights, target: str) -> tuple[str, ...]:
    """Pictures that a stage needs: with the depth given to it as target, it needs no other."""
    needed = {"image", "mask"} | {
        column for name in used_terms(weights) for column in TERMS[name].columns
    }
    return tuple(sorted(needed - {"depth"} if target == "given" else needed))


def weighted_losses(weights: LossWeights, seen: Seen) -> dict[str, Tensor]:
    """The weighted losses by name; the mask's only where the network has a mask head."""
    return {
        name: weight * TERMS[name].loss(seen)
        for name, weight in used_terms(weights).items()
        if name != "mask" or seen.mask_logits is not None
    }
