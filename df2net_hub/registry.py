"""The model zoo: name -> class, config and what is known of its weights. Plugins add names.

`register_model` is the only way in. A third-party package lists its names under the entry-point
group `df2net_hub.models`, with the model's name as the entry point's name: listing imports nothing,
and a plugin is imported only when one of its names is asked for.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from torch import nn

GROUP = "df2net_hub.models"
SLOTS = ("dense", "fine", "finer", "cascade", "albedo")
BUILT_IN = (
    "df2net_hub.modeling.dnet",
    "df2net_hub.modeling.dnet_residual",
    "df2net_hub.modeling.dnet_timm",
    "df2net_hub.modeling.fnet",
    "df2net_hub.modeling.fnet_residual",
    "df2net_hub.modeling.frnet",
    "df2net_hub.modeling.frnet_residual",
    "df2net_hub.modeling.cascade",
    "df2net_hub.modeling.albedonet",
)
ModelClass = TypeVar("ModelClass", bound=type[nn.Module])


@dataclass(frozen=True)
class ModelEntry:
    """What the zoo knows of one model.

    Attributes:
        name: how it is asked for.
        slot: dense, fine, finer, cascade or albedo.
        cls: its class, built as `cls(config)`.
        config: a frozen dataclass.
        hub_id: repository of its published weights, if any.
        license: of the weights.
        description: one line.
    """

    name: str
    slot: str
    cls: type[nn.Module]
    config: Any
    hub_id: str | None
    license: str
    description: str


_entries: dict[str, ModelEntry] = {}


def register_model(
    name: str,
    *,
    slot: str,
    config: Any,
    hub_id: str | None = None,
    license: str = "Apache-2.0",
    description: str = "",
) -> Callable[[ModelClass], ModelClass]:
    """Class decorator that adds `cls(config)` to the zoo as `name`; may be stacked.

    Raises:
        ValueError: the slot is unknown, or another class holds the name.
    """
    if slot not in SLOTS:
        raise ValueError(f"slot of model {name!r} must be one of {', '.join(SLOTS)}, got {slot!r}")

    def add(cls: ModelClass) -> ModelClass:
        held = _entries.get(name)
        # Another class of the same place is the old one of a module or notebook cell run again.
        if held is not None and (held.cls is cls or _where(held.cls) != _where(cls)):
            raise ValueError(
                f"two models are named {name!r}: {_where(held.cls)} and {_where(cls)}; rename one"
            )
        _entries[name] = ModelEntry(name, slot, cls, config, hub_id, license, description)
        return cls

    return add


def _where(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


@cache
def _load_built_in() -> None:
    for module in BUILT_IN:
        importlib.import_module(module)


def _plugins() -> dict[str, EntryPoint]:
    """Entry points by name.

    Raises:
        ValueError: two packages offer the same name, or one offers a built-in name.
    """
    _load_built_in()
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = _origin(found[point.name]) if point.name in found else None
        held = _entries.get(point.name)
        if held is not None and point.module not in sys.modules:  # so it is not the plugin's own
            other = _where(held.cls)
        if other is not None:
            raise ValueError(
                f"two models are named {point.name!r}: {other} and {_origin(point)}; uninstall one"
            )
        found[point.name] = point
    return found


def _origin(point: EntryPoint) -> str:
    return f"{point.value} of package {point.dist.name if point.dist else '?'}"


def list_models(slot: str | None = None) -> list[str]:
    """Sorted names of the zoo, plugins included, without importing any plugin.

    With `slot` only the models of that slot; a plugin's slot is known once it has been asked for.
    """
    names = set(_plugins()) | set(_entries)
    if slot is not None:
        names = {name for name in names if name in _entries and _entries[name].slot == slot}
    return sorted(names)


def model_entry(name: str) -> ModelEntry:
    """The zoo's entry for `name`; imports the plugin that offers it.

    Raises:
        LookupError: no such model, or the plugin does not register the name it offers.
        Exception: whatever a broken plugin raises when it is imported.
    """
    plugins = _plugins()
    if name not in _entries and name in plugins:
        _import_plugin(plugins[name], plugins)
    if name not in _entries:
        raise LookupError(
            f"no model named {name!r}; known: {', '.join(list_models())}. "
            f"Plugins add names through the {GROUP!r} entry point."
        )
    return _entries[name]


def _import_plugin(point: EntryPoint, plugins: dict[str, EntryPoint]) -> None:
    before = set(_entries)
    try:
        point.load()
    except BaseException:
        # Decorators may have run before the module failed. What it registered goes again, all but
        # the models of another plugin that it imported whole.
        for name in set(_entries) - before:
            is_whole = name in plugins and plugins[name].module in sys.modules
            if name == point.name or not is_whole:
                del _entries[name]
        raise
    if point.name not in _entries:
        raise LookupError(
            f"plugin {_origin(point)} offers {point.name!r} but does not register it; it must "
            f"decorate its class with @register_model({point.name!r}, ...)"
        )


def create_model(name: str, **overrides: Any) -> nn.Module:
    """A freshly initialized model; `overrides` replace fields of its config.

    Raises:
        LookupError: no such model.
        ValueError: a field that the config does not have, or a value it refuses.
    """
    entry = model_entry(name)
    known = list(entry.config.__dataclass_fields__)
    for key in overrides:
        if key not in known:
            raise ValueError(f"model {name!r} has no config key {key!r}; known: {', '.join(known)}")
    return entry.cls(replace(entry.config, **overrides))


def name_of(model: nn.Module) -> str:
    """The registered name of a model's class, the one with its very config preferred.

    Raises:
        LookupError: its class is not registered.
    """
    _load_built_in()
    same_class = [entry for entry in _entries.values() if entry.cls is type(model)]
    if not same_class:
        raise LookupError(f"class {_where(type(model))} is not registered; see register_model")
    exact = [entry for entry in same_class if entry.config == getattr(model, "config", None)]
    return (exact or same_class)[0].name
