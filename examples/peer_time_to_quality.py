"""Seconds until 500 samples of digits cannot be told from data, beside the same recipe in PyTorch.

This is what a user waits for.

    python examples/peer_time_to_quality.py [--threads 2]     (PyTorch's rows: where it is installed)

Each row is a process of its own, timed from its start: imports and, where cold, the compilation of the
kernels count. It trains some steps, draws 500 samples by DDIM in 50 steps, asks the permutation test, and
goes on until p > 0.05. The test itself and the samples of rounds that failed do not count: who knows the
recipe does not look in between.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = {"mlp": 250, "unet": 100}  # between two looks


def ours(run, data):
    """(train(n), draw()) by minidiff."""
    from minidiff.runs.drawing import draw
    from minidiff.runs.names import sampler
    from minidiff.runs.training import gradient_steps

    how, states = sampler("ddim"), gradient_steps(run, data, 10**6)
    times = how.times(run.schedule.T, 50, "trailing")
    return lambda n: [next(states) for _ in range(n)], lambda: draw(run, how, times, 500, run.seed)[0]


def theirs(run, data):
    """The same by PyTorch, of the network that minidiff exports, with the same recipe.

    That is v as the target, Adam, clipping, warm-up and a running average.
    """
    import torch

    sys.path.insert(0, str(Path(__file__).parent / "outgrow"))
    from compare_pytorch import exported

    from minidiff.layers import views
    from minidiff.optim import ema_decay

    torch.set_num_threads(int(os.environ["MINIDIFF_THREADS"]))
    torch.manual_seed(run.seed)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        (module, net), (_, ema) = (exported(run, Path(home)) for home in (one, two))
    ours = views(run.state.params, run.model.shapes)
    net.load_state_dict({k: torch.tensor(w) for k, w in ours.items()})
    adam, x, ab = torch.optim.Adam(net.parameters(), run.lr), torch.tensor(data.x), net.alpha_bar.float()
    pairs, done = list(zip(net.parameters(), ema.parameters())), 0

    def train(n):
        nonlocal done
        for step in range(done + 1, done + n + 1):
            x_0 = x[torch.randint(0, len(x), (run.batch,))]
            t = torch.randint(1, run.schedule.T + 1, (run.batch,))
            eps, signal, noise = torch.randn_like(x_0), ab[t].sqrt()[:, None], (1 - ab[t]).sqrt()[:, None]
            loss = ((net(signal * x_0 + noise * eps, t) - (signal * eps - noise * x_0)) ** 2).sum(1).mean()
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            adam.param_groups[0]["lr"] = (
                run.lr * min(1.0, step / run.goal.warmup) if run.goal.warmup else run.lr
            )
            adam.step()
            with torch.no_grad():
                for w, average in pairs:
                    average.lerp_(w, 1 - ema_decay(step, 0.999))
        done += n

    def draw():
        x_0 = module.ddim(ema, torch.randn(500, run.model.d)).numpy().reshape(500, -1)
        return (x_0 - run.offset) / run.scale

    return train, draw


def row(who, model, seed, began):
    """Trains until the test cannot tell, and prints the seconds since `began` that count, the steps and p."""
    import numpy as np

    from minidiff.evaluation.metrics import judge
    from minidiff.runs.names import load
    from minidiff.runs.training import new_run

    data = load("digits")
    run, p, steps, lost = new_run(data, "digits", model, seed=seed), 0.0, 0, 0.0
    train, draw = {"minidiff": ours, "PyTorch": theirs}[who](run, data)
    while p <= 0.05 and steps < 20_000:
        train(STEPS[model])
        steps += STEPS[model]
        drawing = time.time()
        samples = draw()
        judging = time.time()
        p = judge(samples.astype(np.float32), data.x, np.random.default_rng(seed))["p_value"]
        lost += time.time() - (judging if p > 0.05 else drawing)
    print(json.dumps({"seconds": time.time() - began - lost, "steps": steps, "p": p}))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--row", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        who, model, seed, began = args.row
        return row(who, model, int(seed), float(began))
    os.environ |= {"MINIDIFF_THREADS": str(args.threads), "OPENBLAS_NUM_THREADS": "1"}
    print("model  who                 seconds: median of seeds 0, 1, 2   (each: seconds, steps)")
    for model in STEPS:
        with tempfile.TemporaryDirectory() as cache:
            for name, who, cold in (
                ("minidiff, cold", "minidiff", True),
                ("minidiff", "minidiff", False),
                ("PyTorch", "PyTorch", False),
            ):
                found = []
                for seed in range(3):
                    home = tempfile.mkdtemp(dir=cache) if cold else cache + "/warm"
                    if seed == 0 and not cold and who == "minidiff":
                        one(who, model, 0, home)  # fills the cache
                    found.append(one(who, model, seed, home))
                    if found[-1] is None:
                        break
                if None in found:
                    print(f"{model:6} {name:16} left out: no PyTorch here")
                    continue
                each = ", ".join(f"{f['seconds']:.1f} s, {f['steps']}" for f in found)
                print(
                    f"{model:6} {name:16} {statistics.median(f['seconds'] for f in found):8.1f}   ({each})",
                    flush=True,
                )


def one(who, model, seed, cache):
    """What a row prints; None where PyTorch is missing."""
    command = [sys.executable, __file__, "--row", who, model, str(seed), str(time.time())]
    done = subprocess.run(
        command, env=os.environ | {"NUMBA_CACHE_DIR": cache}, capture_output=True, text=True
    )
    if "No module named 'torch'" in done.stderr:
        return None
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
