"""The cascade: how the last network is joined, the mirror, the named variants, the folder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from df2net_hub.modeling.cascade import DF2Net, DF2NetConfig, magnified
from df2net_hub.modeling.dnet import DNet, DNetConfig
from df2net_hub.modeling.dnet_residual import ResidualDNet
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.fnet_residual import ResidualFNet
from df2net_hub.modeling.frnet import FrNet, FrNetConfig
from df2net_hub.modeling.frnet_residual import ResidualFrNet
from df2net_hub.registry import create_model, model_entry

MAPS = ("dense", "fine", "residual", "finer")


def tiny(mask_head: bool = False, finer: FNet | FrNet | None = None, **config: object) -> DF2Net:
    torch.manual_seed(0)
    return DF2Net(
        DF2NetConfig(**config),
        dense=DNet(DNetConfig(width=2, levels=2, mask_head=mask_head)),
        fine=FNet(FNetConfig(width=1)),
        finer=finer or FrNet(FrNetConfig(width=1)),
    ).eval()


def photo() -> Tensor:
    return torch.rand(2, 3, 8, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1


@torch.no_grad()
def test_every_stage_has_the_size_of_the_photo() -> None:
    stages = tiny(mask_head=True)(photo())
    assert stages.mask_logits is not None
    for maps in stages:
        assert maps is not None and maps.shape == (2, 1, 8, 16)


@torch.no_grad()
def test_each_network_is_given_what_the_one_before_says() -> None:
    cascade = tiny()
    stages = cascade(photo())
    assert torch.equal(stages.dense, cascade.dense(photo()))
    assert torch.equal(stages.fine, cascade.fine(photo(), stages.dense))
    assert torch.equal(stages.residual, cascade.finer(photo(), stages.fine))


@torch.no_grad()
def test_what_has_been_seen_is_not_looked_at_again() -> None:
    cascade = tiny(mask_head=True)
    dense, logits = cascade.see(photo())
    for whole, given in zip(cascade(photo()), cascade(photo(), (dense, logits)), strict=True):
        assert torch.equal(whole, given)
    deeper = cascade(photo(), (dense + 1, logits))
    assert torch.equal(deeper.dense, dense + 1)
    assert torch.equal(deeper.fine, cascade.refine(photo(), dense + 1))


@torch.no_grad()
def test_mask_logits_are_the_dense_nets_second_channel_or_none() -> None:
    cascade = tiny(mask_head=True)
    stages = cascade(photo())
    assert stages.mask_logits is not None
    assert torch.equal(torch.cat([stages.dense, stages.mask_logits], 1), cascade.dense(photo()))
    assert tiny()(photo()).mask_logits is None


@pytest.mark.parametrize(
    "residual_on, gain, expected",
    [
        ("fine", 1.0, 2.0 + 5.0),
        ("fine", 3.0, 2.0 + 15.0),
        ("dense", 3.0, 1.0 + 15.0),
        ("dense", 1.0, 1.0 + 5.0),
        ("none", 1.0, 5.0),
        ("none", 3.0, 5.0),
    ],
)
def test_the_last_output_is_joined_as_configured(
    residual_on: str, gain: float, expected: float
) -> None:
    cascade = tiny(residual_on=residual_on, residual_gain=gain)
    dense, fine, last = (torch.full((1, 1, 1, 1), value) for value in (1.0, 2.0, 5.0))
    assert cascade.join(dense, fine, last).item() == expected


@torch.no_grad()
def test_finer_is_the_join_of_the_stages() -> None:
    cascade = tiny(residual_on="dense", residual_gain=3.0)
    dense, fine, residual, finer, _ = cascade(photo())
    assert torch.equal(finer, dense + 3.0 * residual)
    cascade = tiny(residual_on="none")
    dense, fine, residual, finer, _ = cascade(photo())
    assert torch.equal(finer, cascade.finer(photo(), fine))
    assert torch.equal(residual, finer - fine)


@torch.no_grad()
@pytest.mark.parametrize("mask_head", [False, True])
def test_a_mirrored_cascade_sees_a_photo_and_its_mirror_image_alike(mask_head: bool) -> None:
    mirrored, plain = tiny(mask_head, mirror=True), tiny(mask_head)
    dense, logits = mirrored.see(photo())
    dense_of_mirror, logits_of_mirror = mirrored.see(photo().flip(-1))
    assert torch.allclose(dense_of_mirror, dense.flip(-1), atol=1e-6)
    mean = (plain.dense(photo()) + plain.dense(photo().flip(-1)).flip(-1)) / 2
    assert torch.equal(dense, mean[:, :1]) and not torch.equal(dense, plain.see(photo())[0])
    if mask_head:
        assert torch.equal(logits, mean[:, 1:])
        assert torch.allclose(logits_of_mirror, logits.flip(-1), atol=1e-6)
    else:
        assert logits is None and logits_of_mirror is None
    assert torch.equal(mirrored(photo()).dense, dense)


@torch.no_grad()
def test_a_mirrored_cascade_refines_a_photo_and_its_mirror_image_alike() -> None:
    mirrored, plain = tiny(mirror=True), tiny()
    image, dense = photo(), plain.see(photo())[0]
    fine = mirrored.refine(image, dense)
    other = plain.fine(image.flip(-1), dense.flip(-1)).flip(-1)
    assert torch.equal(fine, (plain.fine(image, dense) + other) / 2)
    assert not torch.equal(fine, plain.refine(image, dense))
    assert torch.allclose(mirrored.refine(image.flip(-1), dense.flip(-1)), fine.flip(-1), atol=1e-6)
    stages = mirrored(image)
    assert torch.equal(stages.fine, mirrored.refine(image, stages.dense))


@torch.no_grad()
def test_a_mirrored_cascade_adds_the_same_relief_to_a_photo_and_its_mirror_image() -> None:
    mirrored, plain = tiny(mirror=True), tiny()
    image = photo()
    stages = mirrored(image)
    both = plain.finer(image, stages.fine)
    both = both + plain.finer(image.flip(-1), stages.fine.flip(-1)).flip(-1)
    assert torch.equal(stages.residual, both / 2)
    assert not torch.equal(stages.residual, plain.relief(image, stages.fine))
    assert torch.allclose(mirrored(image.flip(-1)).finer, stages.finer.flip(-1), atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("zoom", [0.8, 2.0])
def test_magnified_maps_lie_around_the_same_middle(zoom: float) -> None:
    columns = torch.arange(9.0).expand(1, 1, 5, 9)
    expected = (4 + (columns - 4) / zoom).clamp(0, 8)  # edges repeated outward
    torch.testing.assert_close(magnified(columns, zoom), expected)
    rows = columns.mT.contiguous()
    torch.testing.assert_close(magnified(rows, zoom), expected.mT)


@pytest.mark.parametrize("zoom", [0.5, 0.94, 1.06])
def test_beyond_the_edge_of_what_is_magnified_lie_its_outermost_pixels(zoom: float) -> None:
    maps = torch.rand(1, 2, 24, 40)
    places = F.affine_grid(torch.tensor([[[1 / zoom, 0, 0], [0, 1 / zoom, 0.0]]]), [1, 2, 24, 40])
    repeated = F.grid_sample(maps, places, padding_mode="border")
    torch.testing.assert_close(magnified(maps, zoom), repeated)


@torch.no_grad()
@pytest.mark.parametrize("mirror", [False, True])
def test_zooms_give_the_mean_of_what_is_seen_through_each(mirror: bool) -> None:
    plain, zoomed = (tiny(True, mirror=mirror, zooms=zooms) for zooms in ((1.0,), (0.8, 1.0)))
    depth, logits = plain.see(photo())
    through = torch.cat(plain.see(magnified(photo(), 0.8)), 1)
    through = magnified(through, 1.25)
    seen_depth, seen_logits = zoomed.see(photo())
    # What is a length of 1 in the crop is one of 0.8 in the smaller picture of it.
    torch.testing.assert_close(seen_depth, (depth + through[:, :1] / 0.8) / 2)
    torch.testing.assert_close(seen_logits, (logits + through[:, 1:]) / 2)
    assert zoomed(photo()).dense.equal(seen_depth)


def test_the_default_is_the_papers_and_the_release_differs_in_the_join() -> None:
    assert model_entry("df2net_base").config == DF2NetConfig()
    release = model_entry("df2net_release").config
    assert release == DF2NetConfig(residual_on="dense", residual_gain=3.0)


@pytest.mark.parametrize(
    "name, finer_class, residual_on",
    [
        ("df2net_base", FrNet, "fine"),
        ("df2net_plain", FrNet, "fine"),
        ("df2net_stacked", FNet, "none"),
        ("df2net_small", ResidualFrNet, "fine"),
    ],
)
def test_a_named_cascade_builds_its_networks(
    name: str, finer_class: type, residual_on: str
) -> None:
    with torch.device("meta"):
        cascade = create_model(name)
    assert isinstance(cascade, DF2Net)
    kinds = (ResidualDNet, ResidualFNet) if name == "df2net_small" else (DNet, FNet)
    assert (type(cascade.dense), type(cascade.fine)) == kinds
    assert type(cascade.finer) is finer_class
    assert cascade.config.residual_on == residual_on
    if name == "df2net_plain":  # Sec. 4.1
        assert not cascade.finer.config.multi_resolution
    if name == "df2net_stacked":  # Sec. 4.1: the second F-Net does as the first
        assert cascade.finer.config == cascade.fine.config == FNetConfig()


@torch.no_grad()
def test_the_untrained_small_cascade_adds_no_relief_yet() -> None:
    cascade = create_model("df2net_small").eval()
    stages = cascade(torch.rand(1, 3, 128, 128))
    assert torch.equal(stages.fine, stages.dense) and torch.equal(stages.finer, stages.dense)
    assert stages.mask_logits is not None


def test_a_join_that_is_not_known_is_an_error() -> None:
    with pytest.raises(ValueError) as error:
        DF2NetConfig(residual_on="coarse")
    assert str(error.value) == (
        "DF2NetConfig.residual_on must be one of fine, dense, none, got 'coarse'"
    )


def test_a_network_that_is_not_known_is_an_error() -> None:
    with pytest.raises(LookupError, match="no model named 'fnet_bse'; known: "):
        DF2Net(DF2NetConfig(dense="dnet_small", fine="fnet_bse"))


@torch.no_grad()
@pytest.mark.parametrize(
    "build",
    [
        lambda: tiny(),
        lambda: tiny(mask_head=True, mirror=True, residual_on="dense", residual_gain=3.0),
        lambda: tiny(mask_head=True, zooms=(0.9, 1.1)),
        lambda: tiny(finer=FrNet(FrNetConfig(width=1, multi_resolution=False))),
        lambda: tiny(finer=FNet(FNetConfig(width=1)), residual_on="none"),
    ],
    ids=["paper", "mirror", "zooms", "plain", "stacked"],
)
def test_a_folder_gives_the_very_same_cascade(build: Callable[[], DF2Net], tmp_path: Path) -> None:
    cascade = build()
    cascade.to_folder(tmp_path / "out")
    again = DF2Net.from_folder(tmp_path / "out")
    assert not again.training
    assert again.config.residual_on == cascade.config.residual_on
    assert again.config.residual_gain == cascade.config.residual_gain
    for name, maps in cascade(photo())._asdict().items():
        other = getattr(again(photo()), name)
        assert other is None if maps is None else torch.equal(maps, other), name


@torch.no_grad()
def test_a_folder_of_half_precision_gives_nearly_the_same_cascade(tmp_path: Path) -> None:
    cascade = tiny(mask_head=True)
    cascade.to_folder(tmp_path / "full")
    cascade.to_folder(tmp_path / "half", dtype=torch.float16)
    again = DF2Net.from_folder(tmp_path / "half")
    assert {tensor.dtype for tensor in again.parameters()} == {torch.float32}
    stages, others = cascade(photo()), again(photo())
    for name in MAPS:
        maps, other = getattr(stages, name), getattr(others, name)
        assert torch.allclose(maps, other, atol=2e-3), name
        assert not torch.equal(maps, other), name
    size = {
        kind: sum(path.stat().st_size for path in (tmp_path / kind).rglob("*.safetensors"))
        for kind in ("half", "full")
    }
    assert size["half"] < size["full"]


def test_a_folder_is_one_subfolder_per_stage_and_an_index_of_names(tmp_path: Path) -> None:
    tiny(finer=FNet(FNetConfig(width=1)), residual_on="none").to_folder(tmp_path / "out")
    files = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("*.*")}
    networks = {
        f"{slot}/{file}"
        for slot in ("dense", "fine", "finer")
        for file in ("config.json", "model.safetensors")
    }
    assert files == networks | {"model_index.json"}
    assert json.loads((tmp_path / "out" / "model_index.json").read_text()) == {
        "_class_name": "DF2NetPipeline",
        "dense": "dnet_base",  # the class's name: the sizes are in dense/config.json
        "fine": "fnet_base",
        "finer": "fnet_base",
        "residual_on": "none",
        "residual_gain": 1.0,
        "mirror": False,
        "zooms": [1.0],
    }


@pytest.mark.parametrize(
    "change, kind, words",
    [
        ({"fine": "fnet_gone"}, LookupError, "no model named 'fnet_gone'"),
        ({"finer": "df2net_base"}, ValueError, "finer = 'df2net_base' is a DF2Net, which is not"),
        ({"residual_on": "all"}, ValueError, "model_index.json: DF2NetConfig.residual_on must be"),
        ({"zooms": []}, ValueError, "DF2NetConfig.zooms must be one or more numbers from 0.5 to 2"),
        ({"zooms": [0.0]}, ValueError, "numbers from 0.5 to 2, got (0.0,)"),
        ({"gain": 1.0}, ValueError, "model_index.json: unknown config key 'gain'"),
        ({"fine": "frnet_base"}, ValueError, "fine/config.json: unknown config key 'residual'"),
    ],
    ids=[
        "unknown name",
        "no stage",
        "bad value",
        "no zoom",
        "bad zoom",
        "unknown key",
        "another network",
    ],
)
def test_an_index_that_does_not_fit_is_named(
    change: dict[str, object], kind: type[Exception], words: str, tmp_path: Path
) -> None:
    tiny().to_folder(tmp_path)
    index = tmp_path / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), **change}))
    with pytest.raises(kind) as error:
        DF2Net.from_folder(tmp_path)
    assert words in str(error.value)


def test_a_folder_without_a_network_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"model_index\.json is missing"):
        DF2Net.from_folder(tmp_path)
    tiny().to_folder(tmp_path)
    (tmp_path / "finer" / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"finer/model\.safetensors is missing"):
        DF2Net.from_folder(tmp_path)
