"""What shape from shading adds to a training step of F-Net.

    python benchmarks/shading.py --threads 1                  # both cascades, 256 px, batch 8
    python benchmarks/shading.py --batch 1 2 4 8 16           # what the batch costs
    python benchmarks/shading.py --device cuda --size 512 --batch 8 32

The paper trained with 8 photos a step "owing to the SFS implementation" (Sec. 3.6). A step here is
F-Net's forward and backward pass with L_rec (Eq. 1), without D-Net before it and the optimizer
after it, which would only make the share smaller. Added are the normals of both depths, the light
of Eq. 4, L_sh of Eq. 5 and its way back to F-Net's output. Both parts are timed in the same step,
and the share is the median over the steps of their ratios. On a CPU processor time is counted, so
that other programs on the machine matter less.
"""

import argparse
import platform
from statistics import median
from time import perf_counter, process_time

import torch
from torch import Tensor
from tqdm import tqdm

from df2net_hub.losses import depth_loss, erode, network_normals, shading_loss
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.registry import create_model

WARM_UP = 2  # steps that are not counted


class Step:
    """One cascade's F-Net with a batch of bumps under random albedo."""

    def __init__(self, name: str, size: int, batch: int, device: str) -> None:
        cascade = create_model(name)
        if not isinstance(cascade, DF2Net):
            raise ValueError(f"{name!r} is no cascade; see `df2net models`")
        self.network = cascade.fine.train().to(device, memory_format=torch.channels_last)
        axis = torch.linspace(-1, 1, size)
        square = axis[:, None] ** 2 + axis**2
        shape = (batch, 1, size, size)
        self.depth = (0.3 * (1 - square)).expand(shape).contiguous().to(device)
        self.mask = (square < 0.8).expand(shape).contiguous().to(device)
        self.image, self.albedo = (torch.rand(batch, 3, size, size).to(device) for _ in range(2))
        self.photo = (2 * self.image - 1).contiguous(memory_format=torch.channels_last)

    def __call__(self) -> tuple[float, float]:
        """Seconds of F-Net's part of one step and of L_sh's, all work on the device done."""
        start = self.now()
        depth = self.network(self.photo, self.depth)
        loss = 10 * depth_loss(depth, self.depth, self.mask)
        forward = self.now()
        output = depth.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(0.1 * self.shading(output), output)
        shaded = self.now()
        torch.autograd.backward([loss, depth], [torch.ones_like(loss), gradient])
        end = self.now()
        self.network.zero_grad()
        return end - shaded + forward - start, shaded - forward

    def shading(self, depth: Tensor) -> Tensor:
        """L_sh of `depth` (B,1,H,W)."""
        normals, target = network_normals(depth), network_normals(self.depth)
        return shading_loss(self.image, self.albedo, normals, target, erode(self.mask))

    def now(self) -> float:
        """The clock that counts on this device [s]."""
        if self.photo.is_cuda:
            torch.cuda.synchronize()
            return perf_counter()
        return process_time()


def main() -> None:
    """Parse the flags, measure, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", nargs="+", default=["df2net_small", "df2net_base"], help="cascades (both)"
    )
    parser.add_argument("--size", type=int, default=256, help="side of the crops [px] (256)")
    parser.add_argument("--batch", type=int, nargs="+", default=[8], help="photos a step (8)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (cpu)")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch (2)")
    parser.add_argument("--rounds", type=int, default=9, help="steps that count (9)")
    args = parser.parse_args()
    if min(args.size, args.threads, args.rounds, *args.batch) < 1:
        parser.error("--size, --batch, --threads and --rounds must be 1 or more")
    if args.size % 4:
        parser.error(f"--size must be a multiple of 4 for F-Net, got {args.size}")
    torch.set_num_threads(args.threads)

    rows = []
    for name, batch in tqdm([(name, batch) for name in args.model for batch in args.batch]):
        step = Step(name, args.size, batch, args.device)
        seconds = [step() for _ in range(WARM_UP + args.rounds)][WARM_UP:]
        share = median(shading / network for network, shading in seconds)
        times = [f"{1000 * median(part) / batch:.1f}" for part in zip(*seconds, strict=True)]
        rows.append(f"| {name} | {batch} | {times[0]} | {times[1]} | {100 * share:.1f} % |")
    print(
        f"{args.size} px, {args.rounds} steps, {args.threads} threads, {args.device}, "
        f"{platform.machine()}, torch {torch.__version__}; medians in milliseconds per photo\n\n"
        "| cascade | batch | step | L_sh | share |\n|---|---|---|---|---|"
    )
    print("\n".join(rows))


if __name__ == "__main__":
    main()
