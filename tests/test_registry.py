"""The zoo and its plugins: real packages, written to a folder of the Python path."""

import importlib
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from df2net_hub import registry
from df2net_hub.modeling.cascade import DF2Net, DF2NetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.registry import (
    create_model,
    list_models,
    model_entry,
    name_of,
    register_model,
)

CONTRIBUTING = Path(__file__).resolve().parent.parent / "CONTRIBUTING.md"


@dataclass(frozen=True)
class GainConfig:
    gain: float = 2.0


class Gain(nn.Module):
    def __init__(self, config: GainConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, photo: Tensor) -> Tensor:
        return self.config.gain * photo[:, :1]


@pytest.fixture(autouse=True)
def zoo_as_it_was(tmp_path: Path) -> Iterator[None]:
    """Whatever a test registers, imports or puts on the path is gone after it."""
    list_models()  # the built-in models are in before we look
    entries, path = dict(registry._entries), list(sys.path)
    yield
    sys.path[:] = path
    registry._entries.clear()
    registry._entries.update(entries)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., None]:
    """Install a package: a module of its name, and a dist-info folder with its entry points."""

    def install_package(package: str, source: str, *names: str) -> None:
        folder = tmp_path / package
        dist_info = folder / f"{package}-1.0.dist-info"
        dist_info.mkdir(parents=True)
        (folder / f"{package}.py").write_text(source)
        (dist_info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        points = "".join(f"{name} = {package}:Toy\n" for name in names)
        (dist_info / "entry_points.txt").write_text(f"[df2net_hub.models]\n{points}")
        sys.path.append(str(folder))
        importlib.invalidate_caches()

    return install_package


def toy(name: str) -> str:
    """Source of a plugin that registers `name`."""
    return f"""
from dataclasses import dataclass
from torch import nn
from df2net_hub.registry import register_model

@dataclass(frozen=True)
class ToyConfig:
    width: int = 1

@register_model({name!r}, slot="finer", config=ToyConfig(), license="MIT", hub_id="toys/{name}")
class Toy(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.scale = nn.Linear(config.width, 1)

    def forward(self, photo, depth):
        return self.scale(depth[..., None])[..., 0]
"""


def test_the_built_in_models_are_listed_by_slot() -> None:
    assert list_models("dense") == ["dnet_base", "dnet_residual", "dnet_small", "dnet_timm"]
    assert list_models("fine") == ["fnet_base", "fnet_residual", "fnet_small"]
    assert list_models("finer") == ["frnet_base", "frnet_plain", "frnet_residual", "frnet_small"]
    assert list_models("cascade") == [
        "df2net_base",
        "df2net_plain",
        "df2net_release",
        "df2net_small",
        "df2net_stacked",
    ]
    assert list_models() == sorted(list_models())
    assert set(list_models("dense")) < set(list_models())


def test_a_registered_class_is_created_with_its_config_and_overrides() -> None:
    register_model("gain", slot="dense", config=GainConfig(3.0))(Gain)
    assert "gain" in list_models("dense")
    photo = torch.ones(1, 3, 2, 2)
    assert torch.equal(create_model("gain")(photo), torch.full((1, 1, 2, 2), 3.0))
    assert torch.equal(create_model("gain", gain=5.0)(photo), torch.full((1, 1, 2, 2), 5.0))
    assert model_entry("gain").config == GainConfig(3.0)  # as it was
    assert name_of(create_model("gain")) == "gain"


def test_decorators_stack_and_the_name_of_a_model_is_that_of_its_very_config() -> None:
    register_model("gain_3", slot="dense", config=GainConfig(3.0))(Gain)
    register_model("gain_5", slot="dense", config=GainConfig(5.0))(Gain)
    assert name_of(create_model("gain_5")) == "gain_5"
    assert (
        name_of(create_model("gain_5", gain=7.0)) == "gain_3"
    )  # no such config: the class's first
    assert name_of(FNet(FNetConfig())) == "fnet_base"


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(LookupError) as error:
        create_model("fnet_bas")
    assert str(error.value) == (
        f"no model named 'fnet_bas'; known: {', '.join(list_models())}. "
        "Plugins add names through the 'df2net_hub.models' entry point."
    )


def test_an_override_that_the_config_lacks_or_refuses_is_an_error() -> None:
    with pytest.raises(ValueError) as error:
        create_model("fnet_base", widht=4)
    assert str(error.value) == (
        "model 'fnet_base' has no config key 'widht'; "
        "known: width, residual, depth_range, working_size"
    )
    with pytest.raises(ValueError, match=r"FNetConfig\.width must be positive, got 0"):
        create_model("fnet_base", width=0)


def test_an_unknown_slot_is_an_error() -> None:
    with pytest.raises(ValueError) as error:
        register_model("gain", slot="coarse", config=GainConfig())
    assert str(error.value) == (
        "slot of model 'gain' must be one of dense, fine, finer, cascade, albedo, got 'coarse'"
    )


def test_a_class_that_is_not_registered_has_no_name() -> None:
    with pytest.raises(LookupError, match=r"class .*\.Gain is not registered; see register_model"):
        name_of(Gain(GainConfig()))


def test_two_classes_of_one_name_are_an_error_that_names_both() -> None:
    with pytest.raises(ValueError) as error:
        register_model("fnet_base", slot="fine", config=GainConfig())(Gain)
    assert str(error.value) == (
        "two models are named 'fnet_base': df2net_hub.modeling.fnet.FNet and "
        f"{Gain.__module__}.Gain; rename one"
    )
    assert model_entry("fnet_base").cls is FNet


def test_one_class_twice_under_one_name_is_an_error() -> None:
    register_model("gain", slot="dense", config=GainConfig(3.0))(Gain)
    with pytest.raises(ValueError, match="two models are named 'gain'"):
        register_model("gain", slot="dense", config=GainConfig(5.0))(Gain)


def test_a_module_run_again_replaces_its_models() -> None:
    register_model("gain", slot="dense", config=GainConfig())(Gain)
    again = type("Gain", (nn.Module,), {"__module__": Gain.__module__})
    register_model("gain", slot="dense", config=GainConfig())(again)
    assert model_entry("gain").cls is again


def test_listing_imports_no_plugin_and_creating_does(install: Callable[..., None]) -> None:
    install("toybox", toy("toy"), "toy")
    assert "toy" in list_models()
    assert "toybox" not in sys.modules and "toy" not in list_models("finer")

    depth = torch.rand(1, 1, 4, 4)
    assert create_model("toy")(torch.rand(1, 3, 4, 4), depth).shape == depth.shape
    assert create_model("toy", width=3).scale.in_features == 3
    entry = model_entry("toy")
    assert (entry.cls.__module__, entry.slot, entry.license) == ("toybox", "finer", "MIT")
    assert entry.hub_id == "toys/toy"
    assert "toy" in list_models("finer") and list_models().count("toy") == 1


def test_a_variant_of_a_built_in_class_is_a_plugin_too(install: Callable[..., None]) -> None:
    source = """
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.registry import register_model
Toy = register_model("fnet_thin", slot="fine", config=FNetConfig(width=1))(FNet)
"""
    install("thin", source, "fnet_thin")
    assert create_model("fnet_thin").config.width == 1
    assert "fnet_thin" in list_models("fine")


def test_a_cascade_is_built_from_plugins_by_name(install: Callable[..., None]) -> None:
    install("toybox", toy("toy"), "toy")
    tiny = create_model("dnet_base", width=2, levels=2)
    cascade = DF2Net(DF2NetConfig(finer="toy", residual_on="none"), dense=tiny).eval()
    assert cascade(torch.rand(1, 3, 8, 8)).finer.shape == (1, 1, 8, 8)


def test_a_broken_plugin_fails_when_asked_for_with_its_own_traceback(
    install: Callable[..., None],
) -> None:
    source = toy("cracked") + "def open_the_box():\n    return 1 / 0\n\nopen_the_box()\n"
    install("cracked_box", source, "cracked")
    assert "cracked" in list_models()
    create_model("fnet_small")  # the others work
    for _ in range(2):  # nor does it come in by halves: its decorator has run already
        with pytest.raises(ZeroDivisionError) as error:
            create_model("cracked")
        frames = traceback.extract_tb(error.value.__traceback__)
        assert frames[-1].name == "open_the_box"
        assert Path(frames[-1].filename).name == "cracked_box.py"


def test_a_broken_plugin_of_two_models_leaves_neither_behind(install: Callable[..., None]) -> None:
    variant = 'register_model("second", slot="finer", config=ToyConfig(2))(Toy)\n1 / 0\n'
    install("cracked_box", toy("first") + variant, "first", "second")
    for name in ("first", "second", "first"):
        with pytest.raises(ZeroDivisionError):
            create_model(name)
    assert {"first", "second"} < set(list_models())
    assert not {"first", "second"} & set(list_models("finer"))


def test_a_broken_plugin_does_not_take_along_the_one_that_it_imports(
    install: Callable[..., None],
) -> None:
    install("toybox", toy("toy"), "toy")
    install("cracked_box", "import toybox\n1 / 0\n", "cracked")
    with pytest.raises(ZeroDivisionError):
        create_model("cracked")
    assert type(create_model("toy")).__module__ == "toybox"


def test_a_plugin_without_the_object_it_names_is_broken_each_time(
    install: Callable[..., None],
) -> None:
    install("toybox", toy("toy").replace("class Toy(", "class Tin("), "toy")
    for _ in range(2):
        with pytest.raises(AttributeError, match="Toy"):
            create_model("toy")


def test_a_plugin_that_registers_another_name_is_told_so(install: Callable[..., None]) -> None:
    install("toybox", toy("toy"), "joy")
    with pytest.raises(LookupError) as error:
        create_model("joy")
    assert str(error.value) == (
        "plugin toybox:Toy of package toybox offers 'joy' but does not register it; it must "
        "decorate its class with @register_model('joy', ...)"
    )


def test_two_packages_of_one_name_are_an_error_that_names_both(
    install: Callable[..., None],
) -> None:
    install("toybox", toy("toy"), "toy")
    install("toychest", toy("toy"), "toy")
    with pytest.raises(ValueError) as error:
        list_models()
    assert str(error.value) == (
        "two models are named 'toy': toybox:Toy of package toybox and "
        "toychest:Toy of package toychest; uninstall one"
    )


def test_a_plugin_with_a_built_in_name_is_an_error_that_names_both(
    install: Callable[..., None],
) -> None:
    install("toybox", toy("fnet_base"), "fnet_base")
    with pytest.raises(ValueError) as error:
        create_model("fnet_base")
    assert str(error.value) == (
        "two models are named 'fnet_base': df2net_hub.modeling.fnet.FNet and "
        "toybox:Toy of package toybox; uninstall one"
    )


def test_the_example_plugin_of_the_contributing_guide_works(
    tmp_path: Path, install: Callable[..., None]
) -> None:
    text = CONTRIBUTING.read_text()
    (sample,) = re.findall(r"^```python\n(# wavelet_fnet/model\.py\n.*?)^```$", text, re.M | re.S)
    (point,) = re.findall(r'^\[project\.entry-points\."df2net_hub\.models"\]\n(.*)$', text, re.M)
    install("wavelet_fnet", "")
    package = tmp_path / "wavelet_fnet"
    (package / "wavelet_fnet.py").unlink()
    (package / "wavelet_fnet").mkdir()
    (package / "wavelet_fnet" / "model.py").write_text(sample)
    points = f"[df2net_hub.models]\n{point.replace(chr(34), '')}\n"
    (package / "wavelet_fnet-1.0.dist-info" / "entry_points.txt").write_text(points)

    model = create_model("fnet_wavelet", width=3).eval()
    photo, depth = torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8)
    assert type(model).__module__ == "wavelet_fnet.model"
    assert model(photo, depth).shape == (2, 1, 8, 8)
    with pytest.raises(ValueError, match=r"WaveletFNetConfig\.width must be positive, got 0"):
        create_model("fnet_wavelet", width=0)

    model.save_pretrained(tmp_path / "saved")
    again = type(model).from_pretrained(tmp_path / "saved")
    assert again.config.width == 3 and torch.equal(again(photo, depth), model(photo, depth))
