"""What each stage is trained with: the paper's recipe to the letter, and ours.

DF2Net (ICCV 2019) Sec. 3.3 to 3.6. A value of `TrainConfig` that is not given is the preset's.
"""

from dataclasses import dataclass, fields, replace

STAGES = ("dense", "fine", "finer")  # in the order of `--stage all`
ALBEDO_STAGE = "albedo"
OPTIMIZERS = ("sgd", "adamw")
SCHEDULES = ("steps", "cosine")


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss of `objectives`; 0 leaves it out."""

    depth: float = 0.0
    normal: float = 0.0
    shading: float = 0.0
    released_shading: float = 0.0  # as the authors' code computes it
    mask: float = 0.0
    gradient: float = 0.0
    cosine: float = 0.0
    scale_shift: float = 0.0
    smooth: float = 0.0
    albedo: float = 0.0
    albedo_edge: float = 0.0
    albedo_level: float = 0.0

    @classmethod
    def parse(cls, terms: tuple[str, ...]) -> dict[str, float]:
        """`("depth=10", "normal=0.5")` -> weights by name.

        Raises:
            ValueError: a term of another form, an unknown loss or a negative weight.
        """
        known = [field.name for field in fields(cls)]
        weights = {}
        for term in terms:
            name, _, number = term.partition("=")
            try:
                weights[name] = float(number)
            except ValueError as error:
                raise ValueError(f"a loss is given as NAME=WEIGHT, got {term!r}") from error
            if name not in known:
                raise ValueError(f"no loss is named {name!r}; known: {', '.join(known)}")
            if not weights[name] >= 0:
                raise ValueError(f"the weight of loss {name!r} must be 0 or more, got {number}")
        return weights


@dataclass(frozen=True)
class Recipe:
    """How one stage is trained.

    Attributes:
        losses: weights of the losses.
        batch: photos per step, over all processes.
        optimizer: sgd (momentum 0.9) or adamw (weight decay 1e-4).
        schedule: steps (divided by 10 at epochs 8 and 9) or cosine to 0.
        epochs, lr, warmup [steps], ema [decay], clip [norm of the gradient].
        precise_norms: photos whose batch statistics the finished network gets, 0 for training's.
        resolution of the crops, window of them that a stage is trained on, 0 for all of it [px].
        target: what `depth` and `normal` compare with: the truth, or the depth given to the stage.
        kinds: sources of the rows trained on.
    """

    losses: LossWeights
    batch: int
    optimizer: str = "sgd"
    schedule: str = "steps"
    epochs: float = 10.0
    lr: float = 1e-3
    warmup: int = 0
    resolution: int = 512
    window: int = 0
    ema: float = 0.0
    clip: float = 0.0
    precise_norms: int = 0
    target: str = "truth"
    kinds: tuple[str, ...] = ("morphable", "reconstructed", "fine")


# The paper takes albedo from SfSNet; ours is trained one way whatever the preset.
_ALBEDO = Recipe(
    LossWeights(albedo=1, albedo_edge=1, albedo_level=0.5),
    batch=16,
    optimizer="adamw",
    schedule="cosine",
    epochs=9,
    lr=2e-3,
    warmup=50,
    resolution=128,
    ema=0.995,
    clip=1.0,
    kinds=("morphable",),
)

# Sec. 3.6; the kinds are those of Table 1. The mask's loss counts for networks with a mask head
# only; the paper's have none. The paper names SGD and no momentum. In the last step F-Net's output
# stands in for the truth (Sec. 3.5), so photos need no depth.
PAPER = {
    "dense": Recipe(
        LossWeights(depth=10, normal=0.1, mask=1), batch=64, kinds=("morphable", "reconstructed")
    ),
    "fine": Recipe(LossWeights(depth=10, shading=0.1), batch=8, kinds=("reconstructed",)),
    "finer": Recipe(LossWeights(depth=1, shading=100), batch=8, target="given", kinds=("fine",)),
    "albedo": _ALBEDO,
}

# Ours, for rendered pairs, whose every normal is true: the refining stages are held to the normals
# above all, in part by a square, whose best guess at a wrinkle that may be there is not its absence
# (it shows a little more of them; docs/experiments.md). Shape from shading (Eq. 5) is left out:
# photos that need not follow from an albedo can be augmented as freely as D-Net's, which photos
# that no renderer made reward.
_FINE = Recipe(
    LossWeights(depth=3, normal=2, gradient=10, cosine=40),
    batch=16,
    optimizer="adamw",
    schedule="cosine",
    lr=2e-3,
    warmup=100,
    resolution=256,
    window=192,
    ema=0.995,
    clip=1.0,
    kinds=("morphable", "reconstructed"),
)
OURS = {
    "dense": Recipe(
        # Eq. 1 sees the height of a whole face, which no photo tells well, more than nose and lips:
        # slopes at every scale must weigh more than it does.
        LossWeights(depth=4, normal=3, gradient=30, mask=1),
        batch=16,
        optimizer="adamw",
        schedule="cosine",
        lr=2e-3,
        warmup=200,
        resolution=128,
        ema=0.998,
        clip=1.0,
        precise_norms=640,
        kinds=("morphable", "reconstructed"),
    ),
    "fine": _FINE,
    "finer": replace(
        _FINE,
        losses=LossWeights(depth=3, normal=1, gradient=5, cosine=60),
        batch=8,
        lr=1.5e-3,
        resolution=512,
        window=256,
        ema=0.99,
    ),
    "albedo": _ALBEDO,
}
PRESETS = {"paper": PAPER, "ours": OURS}
