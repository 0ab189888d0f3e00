"""Heads that artists sculpted, beside the morphable model's scanned ones: MakeHuman's.

All people of one morphable model are alike in what it cannot do: a network that has seen no others
finds them in every photo. `SculptedHeads` are of another making, brought to the morphable model's
vertices by `df2net assets sculpted`, so that skins, hair, wrinkles and expressions fit them.
"""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from df2net_hub.similarity import fit_similarity
from df2net_hub.synthesis.morphable import MorphableModel, read_npz

ORIGINS = ("african", "asian", "caucasian")
WEIGHTS, MUSCLES = ("minweight", "averageweight", "maxweight"), ("min", "average", "max")
# What moves a slider down, and up.
OPPOSITES = (
    ("decr", "incr"), ("down", "up"), ("in", "out"), ("backward", "forward"),
    ("concave", "convex"), ("compress", "uncompress"), ("l", "r"),
)  # fmt: skip
SIGNS = {end: sign for pair in OPPOSITES for end, sign in zip(pair, (-1, 1), strict=True)}
MACRO = re.compile(rf"({'|'.join(ORIGINS)}|universal)-(female|male)-(young|old)\b")
# Deviation of sliders that reach from -1 to 1, and of the difference between left and right.
SLIDER, UNEVEN = 0.2, 0.06


@dataclass(frozen=True)
class SculptedHeads:
    """A head and its targets on the vertices of a morphable model [cm].

    Attributes:
        vertices: (V,3) float32, the head that targets are added to.
        targets: (K,V,3) float32 offsets, weights 0 to 1.
        names: K names, such as `nose-hump-incr` and `asian-male-old`.
    """

    vertices: np.ndarray
    targets: np.ndarray
    names: tuple[str, ...]

    @cached_property
    def sliders(self) -> dict[str, dict[str, dict[int, int]]]:
        """Slider -> its copies, on the left and the right or one -> sign -> target."""
        found: dict[str, dict[str, dict[int, int]]] = {}
        for index, name in enumerate(self.names):
            if MACRO.match(name):
                continue
            stem, _, end = name.rpartition("-")
            key, sign = (stem, SIGNS[end]) if end in SIGNS else (name, 1)
            slider = re.sub(r"^[lr]-", "", key)
            found.setdefault(slider, {}).setdefault(key, {})[sign] = index
        return found

    def shape(self, rng: np.random.Generator, age: float, masculine: float) -> np.ndarray:
        """(V,3) float32 vertices of somebody new, with a neutral face; not placed or scaled.

        Args:
            rng: the person's.
            age: 0 young to 1 old.
            masculine: 0 to 1.
        """
        weights = self._weights(rng, age, masculine)
        by_target = self.targets.reshape(len(self.names), -1)  # (K,3V)
        # Not by BLAS, which wakes threads that then wait for longer than the sum takes.
        shape = np.einsum("k,kn->n", weights, by_target) + self.vertices.ravel()
        return np.asarray(shape.reshape(-1, 3))

    def _weights(self, rng: np.random.Generator, age: float, masculine: float) -> np.ndarray:
        """(K,) float32."""
        weights = np.zeros(len(self.names), np.float32)
        origins = dict(zip(ORIGINS, rng.dirichlet([0.5] * len(ORIGINS)), strict=True))
        weight = _between(WEIGHTS, rng.normal(0, 0.5))
        muscle = _between(MUSCLES, rng.normal(0.4 * masculine - 0.2, 0.4))
        share = {"female": 1 - masculine, "male": masculine, "young": 1 - age, "old": age}
        for index, name in enumerate(self.names):
            macro = MACRO.match(name)
            if macro is None:
                continue
            origin, gender, years = macro.groups()
            weights[index] = share[gender] * share[years]
            if origin == "universal":
                built, fat = name.split("-")[3:]
                weights[index] *= muscle[built.removesuffix("muscle")] * weight[fat]
            else:
                weights[index] *= origins[origin]
        for copies in self.sliders.values():
            common = rng.normal(0, SLIDER)
            for targets in copies.values():
                value = float(np.clip(common + rng.normal(0, UNEVEN), -1, 1))
                sign = 1 if value > 0 else -1
                if sign in targets:
                    weights[targets[sign]] = abs(value)
        return weights


def _between(names: tuple[str, ...], value: float) -> dict[str, float]:
    """Shares of three named states for a value of -1 to 1."""
    value = float(np.clip(value, -1, 1))
    return dict(zip(names, (max(-value, 0), 1 - abs(value), max(value, 0)), strict=True))


def placed(shape: np.ndarray, like: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(V,3) float32 `shape` turned, scaled and moved so that its landmarks fit those of `like`."""
    place = fit_similarity(shape[landmarks].astype(np.float64), like[landmarks].astype(np.float64))
    return place(shape).astype(np.float32)


def load_sculpted(path: str | Path, model: MorphableModel) -> SculptedHeads:
    """Read sculpted heads that were made for `model`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no whole `.npz`; an array is missing, has another shape than the model
            asks for, or holds NaN; a name stands twice; no target of origin, gender and age.
    """
    path = Path(path)
    arrays = read_npz(path)
    missing = {"vertices", "targets", "names"} - set(arrays)
    if missing:
        raise ValueError(
            f"{path}: arrays {sorted(missing)} are missing; found {sorted(arrays)}. Make it anew "
            "with `df2net assets sculpted`"
        )
    vertices, targets = arrays["vertices"], arrays["targets"]
    names = tuple(str(name) for name in arrays["names"])
    wanted = {"vertices": model.vertices.shape, "targets": (len(names), *model.vertices.shape)}
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ValueError(
                f"{path}: array {name!r} has shape {arrays[name].shape}, this head asks for "
                f"{shape}; make it anew for this head with `df2net assets sculpted`"
            )
        if arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{path}: array {name!r} is not finite numbers; make it anew")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: target {twice[0]!r} stands twice")
    if not any(MACRO.match(name) for name in names):
        raise ValueError(f"{path}: no target such as 'asian-male-old'; found {list(names[:5])}")
    return SculptedHeads(
        np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(targets, np.float32), names
    )


def save_sculpted(heads: SculptedHeads, path: str | Path, model: MorphableModel) -> None:
    """Write `heads` as `load_sculpted` reads them; `path` is replaced at once or not."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    try:
        with open(unfinished, "wb") as file:
            np.savez_compressed(
                file,
                vertices=heads.vertices.astype(np.float32),
                targets=heads.targets.astype(np.float16),
                names=np.array(heads.names, np.str_),
            )
        load_sculpted(unfinished, model)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
