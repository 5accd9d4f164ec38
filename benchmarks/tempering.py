"""ln Z from tempered chains: Bennett's ratio between levels beside Rao-Blackwellised tempered sampling, at equal cost.

    python benchmarks/tempering.py MODEL... [--seconds 20] [--repeats 4]

MODEL is a run folder or a model file whose ln Z can be enumerated.  Rao-Blackwellised tempered sampling (Carlson,
Stinson, Pakman and Paninski 2016): one temperature a chain, drawn from q(k | v) ~ f_k(v) / Z'_k after each sweep, with

    Z_k / Z_0 = (Z'_k / Z'_0) < q(k | v) > / < q(0 | v) >

over all states v of a run, Z' being the estimate of the run before.  Both methods have the same levels, found
beforehand by tuning on another seed, start from independent units, discard the first fifth, and get the same seconds.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import Tensor

from harmonium.gibbs import sample_side
from harmonium.io import load_model
from harmonium.ladders import Tempered, even_positions
from harmonium.logz import exact_log_z
from harmonium.logz.tempering import log_z_from_ratios
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.tempering import temper, tuned


def by_bennett(ladder: Tempered, seconds: float, noise: Noise, replicas: int = 16) -> float:
    """Parallel tempering for the given time: ln Z."""
    v, ups, downs, end = ladder.start(replicas, noise), [], [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        run = temper(ladder, v, 50, noise)
        v = run.v
        ups.append(run.up)
        downs.append(run.down)
    late = len(ups) // 5
    return float(ladder.first.log_z_decoupled()) + log_z_from_ratios(torch.cat(ups[late:]), torch.cat(downs[late:]))[0]


@torch.no_grad()
def by_rao_blackwell(ladder: Tempered, seconds: float, noise: Noise, chains: int = 128, stages: int = 10) -> float:
    """Simulated tempering for the given time, half of it in `stages` that find the levels' weights: ln Z."""
    rbm, base = ladder.machine, ladder.base
    t = torch.tensor(ladder.positions, dtype=torch.float64)
    log_z = torch.zeros(len(t), dtype=torch.float64)
    v = ladder.start(chains, noise)[:, 0]
    k = torch.zeros(chains, dtype=torch.int64)

    def run(duration: float) -> Tensor:
        nonlocal v, k
        total, count, end = torch.zeros(len(t), dtype=torch.float64), 0, time.perf_counter() + duration
        while time.perf_counter() < end:
            eta = rbm.eta_h_from_v(v).double().unsqueeze(1)
            visible = rbm.visible.dot((rbm.a - base.a).double(), v.double()).unsqueeze(1) * t
            log_f = visible + rbm.hidden.log_partition(torch.lerp(base.b.double(), eta, t.view(-1, 1, 1)))
            q = (log_f - log_z).softmax(1)
            total, count = total + q.mean(0), count + 1
            passed = q.cumsum(1)
            k = torch.searchsorted(passed, noise.uniform(chains, 1).double() * passed[:, -1:]).squeeze(1)
            at = t[k].view(-1, 1, 1).to(rbm.W.dtype)
            h = sample_side(rbm.hidden, torch.lerp(base.b.expand_as(eta[:, 0]), eta[:, 0].to(at.dtype), at), noise)
            eta_v = rbm.eta_v_from_h(h)
            v = sample_side(rbm.visible, torch.lerp(base.a.expand_as(eta_v), eta_v, at), noise)
        c = (total / count).clamp_min(1e-12).log()
        return log_z + c - c[0]

    for _ in range(stages):
        log_z = run(seconds / 2 / stages)
    log_z = run(seconds / 2)
    return float(base.log_z_decoupled() + log_z[-1] - log_z[0])


def main() -> None:
    """Print one line a model and method: mean error and root mean square error in nats."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for path in options.models:
        rbm: RBM = load_model(path)[0]
        truth = exact_log_z(rbm.to(dtype=torch.float64))
        noise = Noise(99, dtype=rbm.W.dtype)
        ladder = Tempered(rbm.decoupled(), rbm, even_positions(12))
        ladder = tuned(ladder, ladder.start(16, noise), noise)[0]
        for name, method in (("Bennett", by_bennett), ("Rao-Blackwell", by_rao_blackwell)):
            errors = torch.tensor(
                [method(ladder, options.seconds, Noise(s, dtype=rbm.W.dtype)) - truth for s in range(options.repeats)]
            )
            print(  # noqa: T201
                f"{path}  {len(ladder)} levels  {name:14} mean error {errors.mean():+.3f}  "
                f"root mean square {errors.square().mean().sqrt():.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
