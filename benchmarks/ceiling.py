"""What depth error is left once this or that is known of a face: what a D-Net is measured against.

    python benchmarks/ceiling.py --assets DATA                # rows without a network: a minute
    python benchmarks/ceiling.py --assets DATA --steps 2500   # and points lifted to depth

Faces are drawn as the renderer draws them, as points alone, without a picture: the 68 landmarks
and points spread over the face. Errors are mean absolute errors of the points' height [px of the
512 crop], only centered; beside them those with the best tilt, a plane fitted to each face's
error and taken out. A D-Net's error on renders compares roughly: points count the face evenly,
hidden ones too, and pixels only what hair and hands leave of it; and a point's height is asked
wherever it lies, a pixel's at that very place. Seeded: the numbers repeat.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from df2net_hub.geometry import CROP_SIZE, rotation
from df2net_hub.synthesis.asset_folder import head_path
from df2net_hub.synthesis.expressions import sample_expression
from df2net_hub.synthesis.morphable import MorphableModel, load_morphable
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.sampling import (
    BOX_BELOW_EYES_CM,
    BOX_SHIFT_CM,
    BOX_SIDE_CM,
    LEAN,
    sample_pose,
)

SPREAD = 260  # points beside the landmarks
EXPRESSIONS = 4000  # drawn once and used again with other identities
BATCH = 256
EYES = slice(36, 48)


@dataclass(frozen=True)
class Faces:
    """F faces of P points.

    Attributes:
        shape: (F,P,3) in the head's frame [cm]. mean_lean: the same, leaning as the mean does.
            mean_identity: with the mean's identity, at the mean lean.
        pose: (F,3) yaw, pitch, roll [rad]. px_per_cm, per_distance: (F,) of the lens [1/cm].
        center: (F,2) point of the turned head at the crop's middle [cm].
    """

    shape: np.ndarray
    mean_lean: np.ndarray
    mean_identity: np.ndarray
    pose: np.ndarray
    px_per_cm: np.ndarray
    per_distance: np.ndarray
    center: np.ndarray


class PointSampler:
    """Draws faces of `model` as points, with the numbers of `HeadSampler`."""

    def __init__(self, model: MorphableModel, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        points = np.concatenate([model.landmarks68, spread_points(model)])
        self.mean = model.vertices[points]  # (P,3)
        self.identity = model.identity[:, points].reshape(len(model.identity), -1)  # (K,3P)
        self.movements = model.expression[:, points].reshape(len(model.expression), -1)
        drawn = [sample_expression(self.rng, model).weights for _ in range(EXPRESSIONS)]
        self.expressions = np.stack(drawn).astype(np.float32)

    def faces(self, count: int) -> Faces:
        """`count` more faces."""
        rng = self.rng
        weights = rng.standard_normal((count, len(self.identity))) * rng.choice(
            [0.8, 1.0, 1.2], (count, 1)
        )
        moved = self.expressions[rng.integers(0, len(self.expressions), count)] @ self.movements
        moved = moved.reshape(count, -1, 3) + self.mean
        own = moved + (weights.astype(np.float32) @ self.identity).reshape(moved.shape)
        stretch = 1 + rng.normal(0, [0.035, 0.045, 0.04], (count, 1, 3))
        shape = leaning(own * stretch, rng.normal(*LEAN, (count, 1)))
        mean_lean = np.full((count, 1), LEAN[0])

        pose = np.stack([sample_pose(rng) for _ in range(count)])
        eyes = shape[:, EYES].mean(1) * [1, 1, 0.6]
        eyes[:, 1] -= BOX_BELOW_EYES_CM * stretch[:, 0, 1]
        anchor = np.einsum("fij,fj->fi", turns(pose), eyes)[:, :2]
        wide = (shape[:, 45, 0] - shape[:, 36, 0]) / 9.0
        side = 1.6 * BOX_SIDE_CM * np.exp(rng.normal(0, 0.11, count)) * wide
        shift = rng.normal(0, 0.03, (count, 2)) * side[:, None]
        distance = np.exp(rng.uniform(np.log(50), np.log(200), count))
        return Faces(
            shape=shape,
            mean_lean=leaning(own * stretch, mean_lean),
            mean_identity=leaning(moved, mean_lean),
            pose=pose,
            px_per_cm=CROP_SIZE / side,
            per_distance=np.where(rng.random(count) < 0.5, 1 / distance, 0.0),
            center=anchor + shift + BOX_SHIFT_CM * np.sin(pose[:, :2]),
        )


def spread_points(model: MorphableModel) -> np.ndarray:
    """(SPREAD,) vertices of the face, each as far from the others as can be on the mean shape."""
    part = model.parts["face_narrow"]
    places = model.vertices[part]
    chosen = [int(places[:, 2].argmax())]
    distance = np.linalg.norm(places - places[chosen[0]], axis=1)
    for _ in range(min(SPREAD, len(places)) - 1):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return part.start + np.array(chosen)


def leaning(shape: np.ndarray, lean: np.ndarray) -> np.ndarray:
    """`shape` (F,P,3) with its depth sheared by `lean` (F,1) of the height over the eyes."""
    above = shape[:, :, 1] - shape[:, EYES, 1].mean(1, keepdims=True)
    return shape + (lean * above)[..., None] * [0, 0, 1]


def turns(pose: np.ndarray) -> np.ndarray:
    """(F,3,3) rotations of `pose` (F,3) [rad]."""
    return np.stack([rotation(*angles) for angles in pose])


def placed(faces: Faces, shape: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(F,P,3) px of the crop of `shape` turned by `pose`: x right, y down, z toward the camera."""
    turned = np.einsum("fij,fpj->fpi", turns(pose), shape)
    scale = faces.px_per_cm[:, None] / (1 - turned[..., 2] * faces.per_distance[:, None])
    x, y = ((turned[..., axis] - faces.center[:, axis, None]) * scale for axis in (0, 1))
    middle = (CROP_SIZE - 1) / 2
    return np.stack([middle + x, middle - y, turned[..., 2] * faces.px_per_cm[:, None]], -1)


def errors(height: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Mean absolute error [px] of `height` (F,P) against `truth` (F,P,3), centered and untilted."""
    error = height - truth[..., 2]
    error = error - error.mean(1, keepdims=True)
    plane = truth[..., :2] - truth[..., :2].mean(1, keepdims=True)  # (F,P,2)
    across = np.swapaxes(plane, 1, 2)
    slopes = np.linalg.solve(across @ plane, across @ error[..., None])
    return float(np.abs(error).mean()), float(np.abs(error - (plane @ slopes)[..., 0]).mean())


class Lifter(nn.Module):
    """Places of N points [px] to heights of P points [px], three hidden layers."""

    def __init__(self, known: int, points: int, hidden: int = 1024) -> None:
        super().__init__()
        sizes = [2 * known + 3, hidden, hidden, hidden]
        layers = [
            layer
            for before, after in zip(sizes, sizes[1:], strict=False)
            for layer in (nn.Linear(before, after), nn.GELU())
        ]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden, points))

    def forward(self, places: Tensor) -> Tensor:
        """(B,P) heights of `places` (B,N,2)."""
        middle = places.mean(1, keepdim=True)
        size = (places - middle).square().sum(-1).mean(1).sqrt()[:, None]  # (B,1)
        crop = torch.cat([(middle[:, 0] - CROP_SIZE / 2) / 50, size / 100 - 1], 1)
        inside = ((places - middle) / size[:, None]).flatten(1)
        heights: Tensor = self.layers(torch.cat([inside, crop], 1)) * size
        return heights


def lift(
    sampler: PointSampler, tested: np.ndarray, known: int, noise_px: float, steps: int
) -> np.ndarray:
    """Heights (F,P) of the faces `tested` (F,P,3) from their first `known` points, seen with noise.

    The network learns from new faces in every step; noise is independent and normal.
    """
    torch.manual_seed(0)
    rng = np.random.default_rng(1)

    def seen(points: np.ndarray) -> Tensor:
        places = points[:, :known, :2]
        return torch.from_numpy((places + rng.normal(0, noise_px, places.shape)).astype("float32"))

    network = Lifter(known, tested.shape[1])
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps)
    for _ in tqdm(range(steps), desc=f"{known} points to {noise_px:g} px", unit="step"):
        faces = sampler.faces(BATCH)
        points = placed(faces, faces.shape, faces.pose)
        heights = torch.from_numpy(points[..., 2].astype("float32"))
        error = network(seen(points)) - heights
        loss = (error - error.mean(1, keepdim=True)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return network(seen(tested)).numpy()


def rows(
    model: MorphableModel, count: int, steps: int, seed: int
) -> dict[str, tuple[float, float]]:
    """What is known -> error centered, error with the best tilt [px]."""
    faces = PointSampler(model, seed).faces(count)
    truth = placed(faces, faces.shape, faces.pose)
    known = placed(faces, faces.mean_identity, faces.pose)
    upright = placed(faces, faces.mean_lean, faces.pose)
    found = {
        "nothing: a flat map": errors(np.zeros(truth.shape[:2]), truth),
        "turn and expression; the mean's identity": errors(known[..., 2], truth),
        "all but how far the face leans": errors(upright[..., 2], truth),
    }
    rng = np.random.default_rng(seed)
    for degrees in (1, 2, 3):
        wrong = faces.pose + np.radians(rng.normal(0, degrees, (count, 3))) * [1, 1, 0]
        height = placed(faces, faces.shape, wrong)[..., 2]
        found[f"shape; turned wrongly by {degrees} deg"] = errors(height, truth)
    if steps:
        sampler = PointSampler(model, seed + 1)
        points = truth.shape[1]
        for number, noise_px in ((points, 1.0), (68, 1.0), (68, 3.0)):
            lifted = lift(sampler, truth, number, noise_px, steps)
            found[f"{number} points' places, to {noise_px:g} px"] = errors(lifted, truth)
    return found


def main() -> None:
    """Parse the flags, measure, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assets", help="folder of `df2net assets` (the procedural head)")
    parser.add_argument("--faces", type=int, default=3000, help="faces measured (3000)")
    parser.add_argument("--steps", type=int, default=0, help="of each lifting network (0: none)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    model = load_morphable(head_path(args.assets)) if args.assets else procedural_head()
    found = rows(model, args.faces, args.steps, args.seed)
    print(f"| known of the face, {args.faces} faces | depth error px | with the best tilt |")
    print("|---|---|---|")
    for name, (centered, untilted) in found.items():
        print(f"| {name} | {centered:.1f} | {untilted:.1f} |")


if __name__ == "__main__":
    main()
