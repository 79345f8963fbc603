"""Goes on training a run in PyTorch, on several processes or machines, and writes a run that minidiff reads.

    minidiff train --data digits --steps 300 --out runs/small
    minidiff export runs/small --out small_torch
    torchrun --nproc-per-node 2 examples/outgrow/train_ddp.py runs/small small_torch --steps 600 --out runs/b
    minidiff eval runs/b

Each process takes every WORLD_SIZE-th row of minidiff's own batches, which are a function of the seed
and the step, and DistributedDataParallel averages the gradients: the losses are those that `minidiff
train --resume` would have had, to rounding. On a machine with GPUs the processes use them (nccl),
elsewhere the processors (gloo).
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

from minidiff.gaussian import q_sample
from minidiff.layers import in_one_vector, views
from minidiff.objective import target_of, weight_of
from minidiff.optim import ema_decay
from minidiff.runs import checkpoint
from minidiff.runs.batches import batches
from minidiff.runs.files import folder
from minidiff.runs.training import data_of


def network(exported, params, device):
    """The exported Network with these parameters, for every process."""
    spec = importlib.util.spec_from_file_location("model", Path(exported) / "model.py")
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    net = model.load(exported)
    net.load_state_dict({k: torch.tensor(w) for k, w in params.items()})
    return net.to(device)


def adam_of(net, m, v, step, lr):
    """PyTorch's Adam where minidiff's stopped: m and v, by name, are its exp_avg and exp_avg_sq."""
    adam = torch.optim.Adam(net.parameters(), lr, eps=1e-8)
    for name, w in net.named_parameters():
        averages = (torch.tensor(average[name], device=w.device) for average in (m, v))
        adam.state[w] = dict(zip(("exp_avg", "exp_avg_sq"), averages)) | {"step": torch.tensor(float(step))}
    return adam


def losses_of(run, net, adam, ema, steps, rank, world, device):
    """Algorithm 1 on this process's part of each batch; yields the loss of the whole batch."""
    data, goal, process, every = data_of(run), run.goal, run.process, DistributedDataParallel(net)
    how = {"times": goal.times, "label": data.label if run.labels else None, "null": run.labels}
    drawn = batches(data.x, process, run.seed, run.state.step, run.batch, drop=goal.drop, **how)
    for step, whole in zip(range(run.state.step + 1, steps + 1), drawn):
        x_0, t, eps, *label = (a[rank::world] for a in whole)
        x_t, target = q_sample(process, x_0, t, eps), target_of(goal.objective, process, x_0, t, eps)
        x_t, when, target, *label = (torch.tensor(a, device=device) for a in (x_t, t, target, *label))
        error = ((every(x_t, when, *label) - target) ** 2).sum(1)
        if goal.weight:
            weight = weight_of(goal.weight, goal.objective, process, t)
            error = error * torch.tensor(weight, device=device, dtype=error.dtype)
        # the parts' sum is the batch's mean; DDP divides by world, so multiply
        share = error.sum() / run.batch
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
    # of an axis of length 1, whose stride means nothing
    warnings.filterwarnings("ignore", "Grad strides do not match")
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")

    run = checkpoint.load(Path(args.run) / "checkpoint.npz")
    s, shapes = run.state, run.model.shapes
    net = network(args.exported, views(s.params, shapes), device)
    adam = adam_of(net, views(s.m, shapes), views(s.v, shapes), s.step, run.lr)
    ema = {k: torch.tensor(w, device=device) for k, w in views(s.ema, shapes).items()}
    began = time.perf_counter()
    for loss in losses_of(run, net, adam, ema, args.steps, rank, world, device):
        run.losses.append(loss)
        if rank == 0 and len(run.losses) % 50 == 0:
            print(f"step {len(run.losses)}: error {run.error():.4f} (1: always 0)", flush=True)
    seconds = (time.perf_counter() - began) / max(1, args.steps - run.state.step)
    if rank == 0:
        named = dict(net.named_parameters())
        averages = ({n: adam.state[w][k] for n, w in named.items()} for k in ("exp_avg", "exp_avg_sq"))
        back = ({n: w.detach().cpu().numpy() for n, w in part.items()} for part in (named, *averages, ema))
        s.params, s.m, s.v, s.ema = (in_one_vector(part, shapes) for part in back)
        s.step, s.loss = len(run.losses), run.losses[-1]
        checkpoint.save(folder(args.out) / "checkpoint.npz", run)
        how = f"{world} processes, {1000 * seconds:.1f} ms a step"
        print(f"wrote {args.out}/checkpoint.npz at step {s.step}: {how}")
    dist.barrier()  # a process that leaves while another still uses their connection can take it down
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
