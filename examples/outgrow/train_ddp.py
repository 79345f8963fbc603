"""Goes on training a run in PyTorch, on several processes or machines, and writes a run that minidiff reads.

    minidiff train --data digits --steps 300 --out runs/small
    minidiff export runs/small --out small_torch
    torchrun --nproc-per-node 2 examples/outgrow/train_ddp.py runs/small small_torch --steps 600 --out runs/large
    minidiff eval runs/large

Each process takes every WORLD_SIZE-th row of minidiff's own batches, which are a function of the seed and the step, and
DistributedDataParallel averages the gradients: the losses are those that `minidiff train --resume` would have had, to rounding.
On a machine with GPUs the processes use them (nccl), elsewhere the processors (gloo).
"""

import argparse
import importlib.util
import math
import os
import time
import warnings
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from minidiff.objective import weight_of
from minidiff.optim import ema_decay
from minidiff.runs import checkpoint
from minidiff.runs.files import folder
from minidiff.runs.use import data_of
from minidiff.train import batches


def network(exported, params, device):
    """The exported Network with these parameters, for every process."""
    spec = importlib.util.spec_from_file_location("model", Path(exported) / "model.py")
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    net = model.load(exported)
    net.load_state_dict({k: torch.tensor(w) for k, w in params.items()})
    return net.to(device)


def adam_of(net, state, lr):
    """PyTorch's Adam where minidiff's stopped: m and v are its exp_avg and exp_avg_sq."""
    adam = torch.optim.Adam(net.parameters(), lr, eps=1e-8)
    for name, w in net.named_parameters():
        m, v = (torch.tensor(average[name], device=w.device) for average in (state.m, state.v))
        adam.state[w] = {"step": torch.tensor(float(state.step)), "exp_avg": m, "exp_avg_sq": v}
    return adam


def losses_of(run, net, adam, ema, steps, rank, world, device):
    """Algorithm 1 on this process's part of each batch; yields the loss of the whole batch."""
    data, goal, every = data_of(run), run.goal, DistributedDataParallel(net)
    process, label = goal.objective.process(run.schedule), data.label if run.labels else None
    drawn = batches(
        run.state.step, run.state.seed, process, data.x, run.batch, goal, label=label, null=run.labels
    )
    for step, (x_0, t, eps, y) in zip(range(run.state.step + 1, steps + 1), drawn):
        weight, mine = weight_of(goal.weight, goal.objective, process, t), slice(rank, None, world)
        x_in, t_in, target = goal.objective.example(process, x_0[mine], t[mine], eps[mine])
        x_in, t_in, target = (torch.tensor(a, device=device) for a in (x_in, t_in, target))
        error = (
            (every(x_in, t_in, None if y is None else torch.tensor(y[mine], device=device)) - target) ** 2
        ).sum(1)
        if weight is not None:
            error = error * torch.tensor(weight[mine], device=device, dtype=error.dtype)
        share = (
            error.sum() / run.batch
        )  # the parts' sum is the batch's mean; DDP divides by world, so multiply
        adam.zero_grad()
        (world * share).backward()
        loss = share.detach().double()
        dist.all_reduce(loss)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} at step {step}")
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.param_groups[0]["lr"] = run.lr * min(1.0, step / goal.warmup) if goal.warmup else run.lr
        adam.step()
        for name, w in net.named_parameters():
            ema[name].lerp_(w.detach(), 1 - ema_decay(step, 0.999))
        yield loss.item()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", help="the folder of a run")
    parser.add_argument("exported", help="the folder that minidiff export wrote of it")
    parser.add_argument("--steps", type=int, required=True, help="train up to this step")
    parser.add_argument("--out", required=True, help="the folder of the new run")
    args = parser.parse_args()
    if (Path(args.out) / "checkpoint.npz").exists():
        parser.error(f"{args.out}/checkpoint.npz exists, give another --out")
    local, rank, world = (int(os.environ[k]) for k in ("LOCAL_RANK", "RANK", "WORLD_SIZE"))
    device = torch.device("cuda", local) if torch.cuda.is_available() else torch.device("cpu")
    warnings.filterwarnings(
        "ignore", "Grad strides do not match"
    )  # of an axis of length 1, whose stride means nothing
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")

    run = checkpoint.load(Path(args.run) / "checkpoint.npz")
    net = network(args.exported, run.state.params, device)
    adam, ema = (
        adam_of(net, run.state, run.lr),
        {k: torch.tensor(w, device=device) for k, w in run.state.ema.items()},
    )
    began = time.perf_counter()
    for loss in losses_of(run, net, adam, ema, args.steps, rank, world, device):
        run.losses.append(loss)
        if rank == 0 and len(run.losses) % 50 == 0:
            print(f"step {len(run.losses)}: error {run.error():.4f} (1: always 0)", flush=True)
    seconds = (time.perf_counter() - began) / max(1, args.steps - run.state.step)
    if rank == 0:
        back = {name: w.detach().cpu().numpy() for name, w in net.named_parameters()}
        m, v = (
            {n: adam.state[w][k].cpu().numpy() for n, w in net.named_parameters()}
            for k in ("exp_avg", "exp_avg_sq")
        )
        s = run.state
        s.params, s.m, s.v, s.ema = back, m, v, {k: w.cpu().numpy() for k, w in ema.items()}
        s.step, s.loss = len(run.losses), run.losses[-1]
        checkpoint.save(folder(args.out) / "checkpoint.npz", run)
        print(
            f"wrote {args.out}/checkpoint.npz at step {s.step}: {world} processes, {1000 * seconds:.1f} ms a step"
        )
    dist.barrier()  # a process that leaves while another still uses their connection can take it down
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
