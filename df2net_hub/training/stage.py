"""One trained network behind the fixed ones, whatever it is: D-Net, F-Net, Fr-Net or AlbedoNet."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from df2net_hub.modeling.albedonet import AlbedoNet
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.modeling.fnet_residual import ResidualFNet
from df2net_hub.modeling.residual_unet import ResidualUNet
from df2net_hub.registry import create_model, model_entry
from df2net_hub.training.config import StageConfig
from df2net_hub.training.disturb import disturbed
from df2net_hub.training.objectives import Seen
from df2net_hub.training.windows import Windows, draw_windows

Network = DF2Net | AlbedoNet


def open_network(config: StageConfig) -> Network:
    """What `config.model` names, with `config.network` in the place of the trained stage.

    Raises:
        ValueError: a model that this stage cannot train, or at this resolution.
        LookupError: no such model.
    """
    kind = AlbedoNet if config.stage == "albedo" else DF2Net
    is_folder = Path(config.model).is_dir()
    network = kind.from_folder(config.model) if is_folder else create_model(config.model)
    if not isinstance(network, kind):
        wanted = "albedonet_small" if config.stage == "albedo" else "df2net_small"
        raise ValueError(
            f"stage {config.stage!r} trains {kind.__name__}, such as --model {wanted}; "
            f"{config.model!r} is {type(network).__name__}"
        )
    if config.network:
        network = _replaced(network, config)
    _require_resolution(trained_part(network, config.stage), config)
    return network


def _require_resolution(trained: nn.Module, config: StageConfig) -> None:
    """A smaller photo would be taken for a window of one of the working size."""
    if not isinstance(trained, ResidualFNet):
        return
    working = trained.config.working_size
    if config.resolution < working or (config.window and config.resolution != working):
        raise ValueError(
            f"{type(trained).__name__} works on photos of {working} px and takes what is smaller "
            f"for a window of these; got resolution {config.resolution} and window "
            f"{config.window}, give --resolution {working}"
        )


def _replaced(network: Network, config: StageConfig) -> Network:
    slot = model_entry(config.network).slot
    if slot != config.stage:
        raise ValueError(
            f"network {config.network!r} is of slot {slot}, the stage is {config.stage}"
        )
    try:
        changes = json.loads(config.network_config)
    except ValueError as error:
        raise ValueError(f"network_config is not JSON: {config.network_config!r}") from error
    trained = create_model(config.network, **changes)
    if isinstance(network, AlbedoNet):
        return trained  # type: ignore[return-value]  # of slot albedo
    stages = {name: getattr(network, name) for name in ("dense", "fine", "finer")}
    known = network.fine if config.stage == "finer" else network.dense
    if isinstance(trained, ResidualUNet) and isinstance(known, ResidualUNet):
        if trained.extends(known):
            trained.begin_with(known)
    names: dict[str, Any] = {config.stage: config.network}
    named = replace(network.config, **names)
    return DF2Net(named, **(stages | {config.stage: trained})).eval()


def trained_part(network: Network, stage: str) -> nn.Module:
    """The network that a stage trains."""
    return network if isinstance(network, AlbedoNet) else getattr(network, stage)


class StageTrainer(nn.Module):
    """Runs `trained` as the stage of `network`, behind its fixed stages.

    While it trains, the depth given to a refining stage is disturbed by `disturb`, see `disturbed`.
    """

    def __init__(
        self, network: Network, stage: str, trained: nn.Module, disturb: float = 0.0
    ) -> None:
        super().__init__()
        self.trained, self.stage, self.disturb = trained, stage, disturb
        # In a tuple, so that the fixed stages are no submodules: not optimized, averaged or saved.
        self.before = (network,)

    def forward(
        self, photo: Tensor, windows: Windows | None = None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Depth (B,1,H,W), mask logits (B,1,H,W) or None, the depth given to the stage or None.

        Of AlbedoNet its albedo (B,3,H,W). A refining stage sees only `windows` of photo and depth;
        the stages before it have seen the whole.
        """
        network = self.before[0]
        if isinstance(network, AlbedoNet):
            return self.trained(photo), None, None
        if self.stage == "dense":
            maps = self.trained(photo)
            return maps[:, :1], maps[:, 1:2] if maps.shape[1] > 1 else None, None
        with torch.no_grad():
            dense, _ = network.see(photo)
            given = dense if self.stage == "fine" else network.refine(photo, dense)
            if self.training and self.disturb:
                given = disturbed(given, self.disturb)
            if windows is not None:
                photo, dense, given = (windows.cut(maps) for maps in (photo, dense, given))
        refined = self.trained(photo, given)
        if self.stage == "finer":
            refined = network.join(dense, given, refined)
        return refined, None, given


def seen_by(trainer: nn.Module, stage: str, batch: dict, target: str, window: int = 0) -> Seen:
    """Run a (wrapped) `StageTrainer` on a batch, or on a window of each photo's face."""
    side = batch["image"].shape[-1]
    windows = draw_windows(batch["mask"], window) if 0 < window < side else None
    output, mask_logits, given = trainer(batch["image"], windows)
    if windows is not None:
        batch = {
            name: windows.cut(values) if isinstance(values, Tensor) else values
            for name, values in batch.items()
        }
    if stage == "albedo":
        return Seen(batch, albedo=output)
    truth = given if target == "given" else batch.get("depth")
    return Seen(batch, output, mask_logits, truth, given=given, side=side)
