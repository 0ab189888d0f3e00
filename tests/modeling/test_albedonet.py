"""AlbedoNet: shapes, what holds by construction, saving and the bundled weights."""

import numpy as np
import pytest
import torch
from PIL import Image

from df2net_hub.demo_photo import demo_photo
from df2net_hub.modeling.albedonet import AlbedoNet, AlbedoNetConfig
from df2net_hub.modeling.base import StageModel
from df2net_hub.registry import create_model, list_models, model_entry
from df2net_hub.srgb import to_linear, to_srgb

TINY = AlbedoNetConfig(width=4, levels=4, working_size=32)


@pytest.fixture
def tiny() -> AlbedoNet:
    """Random weights, those of the heads included, so that the light varies."""
    torch.manual_seed(0)
    net = AlbedoNet(TINY)
    for head in (net.gray, net.tint):
        torch.nn.init.normal_(head.weight, std=0.1)
    return net.eval()


def photo(size: int = 64) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_albedo_has_the_photos_size_and_lies_in_0_1(tiny) -> None:
    for size in (32, 64, 96):
        albedo = tiny(photo(size))
        assert albedo.shape == (2, 3, size, size)
        assert albedo.min() >= 0 and albedo.max() <= 1


def test_a_fresh_network_gives_the_photo_back_but_for_a_slight_highlight() -> None:
    albedo, light = AlbedoNet(TINY).eval().split(photo())
    torch.testing.assert_close(light, torch.ones_like(light))
    linear = to_linear((photo() + 1) / 2)
    share = 0.8 * torch.tensor(-3.0).sigmoid()
    expected = linear - share * linear.amin(1, keepdim=True)
    torch.testing.assert_close(to_linear(albedo), expected, atol=2e-5, rtol=1e-3)


def test_albedo_times_light_is_the_photo_where_nothing_shines_or_is_clipped(tiny) -> None:
    with torch.no_grad():
        tiny.gray.weight[1:] = 0
        tiny.gray.bias[1:] = -100.0  # no highlight
        albedo, light = tiny.split(photo())
    linear = to_linear((photo() + 1) / 2)
    inside = (albedo < 0.999) & (albedo > 0.01)
    assert inside.float().mean() > 0.5
    torch.testing.assert_close((to_linear(albedo) * light)[inside], linear[inside])


def test_the_tint_of_the_light_is_coarse_so_a_single_red_pixel_stays_red(tiny) -> None:
    _, light = tiny.split(photo(32))
    tint = light.log() - light.log().mean(1, keepdim=True)
    assert tint.abs().max() > 1e-3
    # Bilinear between points 8 px apart: inside a cell the second difference is 0.
    inner = tint[..., 4:12, 4:12]
    bend = inner[..., 2:] - 2 * inner[..., 1:-1] + inner[..., :-2]
    assert bend.abs().max() < 1e-5


def test_features_finer_than_the_working_size_stay_in_the_albedo(tiny) -> None:
    """A line of one pixel keeps its contrast: the light cannot follow it."""
    plain = torch.zeros(1, 3, 256, 256)
    lined = plain.clone()
    lined[..., 128] = -0.6
    albedo = to_linear(tiny(lined))
    kept = albedo[..., 128] / albedo[..., 126]
    true = to_linear(torch.tensor(0.2)) / to_linear(torch.tensor(0.5))
    torch.testing.assert_close(kept, true.expand_as(kept), rtol=0.15, atol=0)


def test_a_size_that_does_not_halve_is_named(tiny) -> None:
    with pytest.raises(ValueError, match="multiples of 16 at its working size, got 24 x 24"):
        tiny(photo(24))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 0}, "width must be positive"),
        ({"levels": 3}, "levels must be 4 or more"),
        ({"working_size": 100}, r"multiple of 2\*\*levels = 32, got 100"),
    ],
)
def test_a_wrong_size_is_refused(values, message) -> None:
    with pytest.raises(ValueError, match=message):
        AlbedoNetConfig(**values)


def test_saved_and_loaded_it_says_the_same(tiny, tmp_path) -> None:
    tiny.save_pretrained(tmp_path / "net")
    loaded = AlbedoNet.from_pretrained(tmp_path / "net")
    assert loaded.config == TINY and not loaded.training
    assert torch.equal(loaded(photo()), tiny(photo()))
    card = (tmp_path / "net" / "README.md").read_text()
    assert "image-to-image" in card and "AlbedoNet.from_pretrained" in card


def test_a_folder_of_another_network_is_refused(tmp_path) -> None:
    create_model("dnet_small", width=2, levels=3, working_size=0).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="unknown config key 'dropout'"):
        AlbedoNet.from_pretrained(tmp_path)


def test_the_zoo_knows_it_in_a_slot_of_its_own() -> None:
    assert list_models("albedo") == ["albedonet_base", "albedonet_small"]
    assert issubclass(model_entry("albedonet_base").cls, StageModel)


def test_the_bundled_weights_take_light_from_one_side_off_a_portrait() -> None:
    """A ramp of light laid over a real portrait is in its albedo by half at most."""
    pytest.importorskip("skimage", reason="the photograph comes with scikit-image")
    net = AlbedoNet.from_pretrained()
    assert net.config == model_entry("albedonet_small").config
    pixels = np.array(Image.open(demo_photo()).crop((100, 0, 356, 256)).resize((128, 128)))
    portrait = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    ramp = torch.linspace(0.3, 1.0, 128)
    lit = to_srgb(to_linear(portrait) * ramp)
    plain, shaded = (to_linear(net(photo * 2 - 1)) for photo in (portrait, lit))
    cheeks = slice(50, 85), slice(45, 85)  # from one cheek to the other
    left = (shaded / plain)[..., cheeks[0], cheeks[1]].log().mean((0, 1, 2))
    given = ramp[cheeks[1]].log()
    kept = (left[-8:].mean() - left[:8].mean()) / (given[-8:].mean() - given[:8].mean())
    assert kept < 0.5


def test_features_of_the_portrait_stay_sharp() -> None:
    """Edges of the albedo at full size are as strong as the photo's own, light aside."""
    pytest.importorskip("skimage", reason="the photograph comes with scikit-image")
    pixels = np.array(Image.open(demo_photo()).crop((100, 0, 356, 256)))
    portrait = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    albedo = AlbedoNet.from_pretrained()(portrait * 2 - 1)
    face = (..., slice(80, 180), slice(80, 180))
    finest = [(to_linear(v).clamp(min=1e-3).log().diff(dim=-1))[face] for v in (portrait, albedo)]
    assert torch.corrcoef(torch.stack([edges.flatten() for edges in finest]))[0, 1] > 0.8
    assert finest[1].std() > 0.7 * finest[0].std()
