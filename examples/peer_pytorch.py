"""minidiff beside PyTorch on this machine: the same network, batch, dtype and number of threads, in turn.

    python examples/peer_pytorch.py --threads 1     (in an environment that holds both: pip install . torch)

First the gradients and the samples of both are compared; then each task is timed with minidiff, with PyTorch
eager and, where it works, with torch.compile, one after the other, several times over. Printed are medians
and their ratios. --unet does the same for the U-Net, without torch.compile.
"""

import argparse
import json
import os
import statistics
import sys
from functools import partial

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--repeats", type=int, default=5)
parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
parser.add_argument(
    "--unet", action="store_true", help="the U-Net only: pictures of 8 x 8 to 28 x 28, without torch.compile"
)
parser.add_argument("--json", action="store_true")
args = parser.parse_args()
os.environ["MINIDIFF_THREADS"] = str(args.threads)
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

from minidiff import sampling, schedule  # noqa: E402
from minidiff.cli import bench  # noqa: E402
from minidiff.fast import RowNoise, denoiser, generate, mlp, train, unet, update  # noqa: E402
from minidiff.layers import in_one_vector, views  # noqa: E402
from minidiff.objective import loss_and_grads  # noqa: E402
from minidiff.optim import start  # noqa: E402
from minidiff.pictures.unet import UNet  # noqa: E402
from minidiff.runs.batches import batches  # noqa: E402

torch.set_num_threads(args.threads)
T, MODEL = bench.T, bench.MODEL
ALPHA_BAR = torch.tensor(schedule.linear(T).alpha_bar)


class Net(torch.nn.Module):
    """mlp.MLP in PyTorch."""

    def __init__(self):
        super().__init__()
        d, width, depth, time_dim = MODEL.d, MODEL.width, MODEL.depth, MODEL.time_dim
        self.first = torch.nn.Linear(d + time_dim, width)
        self.hidden = torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in range(depth))
        self.last = torch.nn.Linear(width, d)
        self.act = torch.nn.SiLU()
        self.register_buffer("w", (10000.0 ** (-torch.arange(time_dim // 2) / (time_dim // 2))).float())

    def forward(self, x_t, t):
        angle = t[:, None] * self.w
        h = self.act(self.first(torch.cat([x_t, torch.sin(angle), torch.cos(angle)], dim=1)))
        for layer in self.hidden:
            h = h + self.act(layer(h))
        return self.last(h)

    def layers(self):
        names = ["in", *range(MODEL.depth), "out"]
        return dict(zip(names, [self.first, *self.hidden, self.last]))

    def load(self, params):
        p = views(params, MODEL.shapes)
        with torch.no_grad():
            for name, layer in self.layers().items():
                layer.weight.copy_(torch.from_numpy(p[f"W_{name}"].T.copy()))
                layer.bias.copy_(torch.from_numpy(p[f"b_{name}"].copy()))
        return self


def compare_gradients():
    """The largest difference between the two gradients, in units of the tensor's largest entry."""
    rng, params, net = np.random.default_rng(1), bench.trained_params(), Net().load(bench.trained_params())
    x_t, eps = rng.standard_normal((2, 128, 2)).astype(np.float32)
    t = rng.integers(1, T + 1, 128)
    _, plain = loss_and_grads(MODEL, params, x_t, t, eps)
    _, fast = mlp.Gradients(MODEL, 128, T, np.float32)(params, x_t, t, eps)
    plain, fast = views(plain, MODEL.shapes), views(fast, MODEL.shapes)
    eps_hat = net(torch.from_numpy(x_t), torch.from_numpy(t).float())
    ((eps_hat - torch.from_numpy(eps)) ** 2).sum(1).mean().backward()
    worst = 0.0
    for name, layer in net.layers().items():
        for key, theirs in ((f"W_{name}", layer.weight.grad.T), (f"b_{name}", layer.bias.grad)):
            for ours in (plain, fast):
                worst = max(worst, float(np.abs(ours[key] - theirs.numpy()).max() / np.abs(plain[key]).max()))
    return worst


def ddpm(net, x, alpha_bar, normals):
    """The DDPM loop with sigma^2 = beta-tilde, as one would write it in PyTorch."""
    ab = alpha_bar.tolist()
    with torch.no_grad():
        for t in range(len(ab) - 1, 0, -1):
            a = ab[t] / ab[t - 1]
            eps_hat = net(x, torch.full((len(x),), float(t)))
            x = (x - (1 - a) / (1 - ab[t]) ** 0.5 * eps_hat) / a**0.5
            if t > 1:
                x = x + ((1 - ab[t - 1]) / (1 - ab[t]) * (1 - a)) ** 0.5 * normals(x)
    return x


def compare_samples():
    """The largest difference between samples from the same noise, in units of the largest sample."""
    params, short = bench.trained_params(), schedule.linear(10)
    x_T = RowNoise(0).standard_normal((64, 2), np.float32)
    ours = generate(sampling.ddpm_step(), MODEL.eps_theta(params), short, x_T, range(10, -1, -1), RowNoise(1))
    rng = RowNoise(1)
    theirs = ddpm(
        Net().load(params), torch.from_numpy(x_T), torch.tensor(short.alpha_bar),
        lambda x: torch.from_numpy(rng.standard_normal(tuple(x.shape), np.float32)),
    ).numpy()  # fmt: skip
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def torch_training(batch, compiled):
    net, data, root = Net(), torch.randn(10_000, 2), ALPHA_BAR.float()
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    run = torch.compile(net) if compiled else net

    def task():
        for _ in range(20):
            x_0, t = data[torch.randint(0, len(data), (batch,))], torch.randint(1, T + 1, (batch,))
            eps = torch.randn(batch, 2)
            ab = root[t][:, None]
            x_t = ab.sqrt() * x_0 + (1 - ab).sqrt() * eps
            loss = ((run(x_t, t.float()) - eps) ** 2).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()

    return task


def torch_sampling(rows, compiled):
    net = Net().load(bench.trained_params())
    run = torch.compile(net) if compiled else net
    x_T = torch.randn(rows, 2)
    return lambda: ddpm(run, x_T, ALPHA_BAR, torch.randn_like)


class TorchUNet(torch.nn.Module):
    """unet.UNet in PyTorch, without labels."""

    def __init__(self, model, params):
        super().__init__()
        self.model = model
        for name, w in views(params, model.shapes).items():
            w = torch.from_numpy(w.transpose(3, 2, 0, 1).copy() if w.ndim == 4 else w.copy())
            self.register_parameter(name, torch.nn.Parameter(w))
        self.register_buffer(
            "w", (10000.0 ** (-torch.arange(model.time_dim // 2) / (model.time_dim // 2))).float()
        )

    def conv(self, name, x):
        W = getattr(self, f"W{name}")
        return F.conv2d(x, W, getattr(self, f"b{name}"), padding=W.shape[2] // 2)

    def act(self, h, scale, shift):
        return F.silu(
            F.group_norm(h, self.model.groups) * (1 + scale[:, :, None, None]) + shift[:, :, None, None]
        )

    def block(self, name, h, mod):
        m, n = self.model.blocks[name]
        scale_1, shift_1, scale_2, shift_2, gate = mod[:, self.model.columns[name]].split(
            [m, m, n, n, n], dim=1
        )
        u = self.conv(f"1_{name}", self.act(h, scale_1, shift_1))
        u = self.conv(f"2_{name}", self.act(u, scale_2, shift_2))
        return (self.conv(f"_{name}", h) if m != n else h) + gate[:, :, None, None] * u

    def attend(self, h):
        u = F.group_norm(h, self.model.groups).flatten(2).transpose(1, 2)
        y = (
            F.scaled_dot_product_attention(*(u @ self.W_qkv + self.b_qkv).chunk(3, dim=2)) @ self.W_att
            + self.b_att
        )
        return h + y.transpose(1, 2).reshape(h.shape)

    def forward(self, x_t, t):
        model, kept = self.model, []
        angle = t[:, None] * self.w
        c = F.silu(torch.cat([torch.sin(angle), torch.cos(angle)], dim=1) @ self.W_time + self.b_time)
        mod = c @ self.W_mod + self.b_mod
        h = self.conv("_in", x_t.view(-1, model.channels_in, model.size, model.size))
        for i in range(model.depth):
            h = self.block(f"down_{i}", h, mod)
            kept.append(h)
            h = F.avg_pool2d(h, 2)
        h = self.block("mid_1", self.attend(self.block("mid_0", h, mod)), mod)
        for i in reversed(range(model.depth)):
            h = F.interpolate(h, scale_factor=2, mode="nearest")
            h = self.block(f"up_{i}", torch.cat([h, kept.pop()], dim=1), mod)
        return self.conv("_out", self.act(h, *mod[:, model.columns["out"]].chunk(2, dim=1))).reshape(
            x_t.shape
        )


def unet_params(model):
    """Nothing at 0, and what passes keeps its size."""
    rng, shapes = np.random.default_rng(0), model.shapes
    n_in = {k: np.prod(s[:-1]) if len(s) > 1 else 100 for k, s in shapes.items()}
    tensors = {k: rng.standard_normal(s) / np.sqrt(n_in[k]) for k, s in shapes.items()}
    return in_one_vector(tensors, shapes).astype(np.float32)


def compare_unets(model):
    """The largest difference of the gradients, in units of the tensor's largest entry, and of the eps_hat."""
    rng, params = np.random.default_rng(1), unet_params(model)
    net = TorchUNet(model, params)
    x_t, eps = rng.standard_normal((2, 20, model.d)).astype(np.float32)
    t = rng.integers(1, T + 1, 20)
    _, grads = unet.Gradients(model, 20, T, np.float32)(params, x_t, t, eps)
    ours = views(grads, model.shapes)
    eps_hat = net(torch.from_numpy(x_t), torch.from_numpy(t).float())
    ((eps_hat - torch.from_numpy(eps)) ** 2).sum(1).mean().backward()
    answer = eps_hat.detach().numpy()
    worst = np.abs(answer - model.eps_theta(params)(x_t, t)).max() / np.abs(answer).max()
    for name, w in net.named_parameters():
        theirs = w.grad.numpy().transpose(2, 3, 1, 0) if w.ndim == 4 else w.grad.numpy()
        worst = max(worst, np.abs(ours[name] - theirs).max() / np.abs(theirs).max())
    return float(worst)


def unet_training(model, batch, steps):
    """(minidiff's task, PyTorch's): so many gradient steps, random numbers, Adam and clipping included."""
    params, data = unet_params(model), torch.randn(1000, model.d)
    net, ab, noising = TorchUNet(model, params), ALPHA_BAR.float(), schedule.linear(T)
    optimiser = torch.optim.Adam(net.parameters(), 1e-4)
    shown = batches(data.numpy(), noising, 0, batch=batch)
    states = train(model, start(params), noising, shown, update=partial(update, lr=1e-4))

    def ours():
        for _ in range(steps):
            next(states)

    def theirs():
        for _ in range(steps):
            x_0, t = data[torch.randint(0, len(data), (batch,))], torch.randint(1, T + 1, (batch,))
            eps, a = torch.randn(batch, model.d), ab[t][:, None]
            loss = ((net(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t.float()) - eps) ** 2).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()

    return ours, theirs


def unet_sampling(model, rows):
    """(minidiff's task, PyTorch's): DDIM with 50 steps, eta = 0."""
    params, times, ab = unet_params(model), sampling.trailing(T, 50), ALPHA_BAR.tolist()
    for k in ("W_out", "b_out"):
        views(params, model.shapes)[k][:] *= 0.1  # samples stay of size 1
    x_T, net = RowNoise(0).standard_normal((rows, model.d), np.float32), TorchUNet(model, params)
    eps_theta = denoiser(model.eps_theta(params))

    def ours():
        return generate(sampling.ddim_step(), eps_theta, schedule.linear(T), x_T, times, RowNoise(1))

    def theirs():
        x = torch.from_numpy(x_T)
        with torch.no_grad():
            for t, s in zip(times[:-1], times[1:]):
                eps_hat = net(x, torch.full((rows,), float(t)))
                x = (
                    ab[s] ** 0.5 * (x - (1 - ab[t]) ** 0.5 * eps_hat) / ab[t] ** 0.5
                    + (1 - ab[s]) ** 0.5 * eps_hat
                )
        return x.numpy()

    return ours, theirs


def unets():
    """Training and sampling of U-Nets, in turn; their gradients and samples are compared first."""
    for size, width in ((8, 16), (16, 16), (16, 32), (28, 32)):
        model = UNet(size, 1, width)
        differ, sampling = compare_unets(model), unet_sampling(model, 64)
        samples = float(np.abs(sampling[0]() - sampling[1]()).max())
        if differ > 1e-4 or samples > 1e-3:
            sys.exit(f"not the same network: gradients differ by {differ:.1e}, samples by {samples:.1e}")
        work = {
            "training step, batch 64": (unet_training(model, 64, 5), 5),
            "DDIM, 64 x 50 steps": (sampling, 1),
        }
        for name, (pair, calls) in work.items():
            times = [[bench.once(f) / calls for f in pair] for _ in range(args.repeats + 1)][1:]
            ours, theirs = (statistics.median(t) for t in zip(*times))
            print(
                f"{size} x {size} x {width}: {name:24} minidiff {ours:.4f} s   PyTorch {theirs:.4f} s ="
                f" {theirs / ours:.2f}x   ({args.threads} threads; gradients agree to {differ:.0e})",
                flush=True,
            )


def torch_noising(points):
    x_0, t, ab = torch.randn(points, 2), torch.randint(1, T + 1, (points,)), ALPHA_BAR.float()
    some, beta = x_0[: points // 100], torch.tensor(schedule.linear(T).beta).tolist()

    def jump():
        eps, a = torch.randn_like(x_0), ab[t][:, None]
        return a.sqrt() * x_0 + (1 - a).sqrt() * eps

    def chain():
        x = some.clone()
        for b in beta[1:]:
            x.mul_((1 - b) ** 0.5).add_(torch.randn_like(x), alpha=b**0.5)
        return x

    return jump, chain


def main():
    if args.unet:
        return unets()
    gradients, samples = compare_gradients(), compare_samples()
    if max(gradients, samples) > 1e-4:
        sys.exit(f"not the same network: gradients differ by {gradients:.1e}, samples by {samples:.1e}")
    ours = {name: task for name, (task, *_) in bench.tasks().items() if not name.startswith("normals")}
    jump, chain = torch_noising(1_000_000)
    peers = {"eager": {"noising in one jump": jump, "noising along the chain": chain}, "compile": {}}
    for kind in peers:
        if kind == "compile" and args.no_compile:
            continue
        for batch in (32, 128, 512):
            peers[kind][f"training step, batch {batch}"] = torch_training(batch, kind == "compile")
        for rows in (1, 16, 1024):
            peers[kind][f"DDPM, {rows} x {T} steps"] = torch_sampling(rows, kind == "compile")
    try:
        for task in peers["compile"].values():
            task()
    except Exception as e:  # no C++ compiler, or an unsupported platform
        print(f"torch.compile does not work here ({type(e).__name__}): left out", file=sys.stderr)
        peers["compile"] = {}
    rows = []
    for name, task in ours.items():
        contenders = {"minidiff": task} | {
            kind: tasks[name] for kind, tasks in peers.items() if name in tasks
        }
        times = {kind: [] for kind in contenders}
        for f in contenders.values():
            f()
        for _ in range(args.repeats):
            for kind, f in contenders.items():
                times[kind].append(bench.once(f))
        median = {kind: statistics.median(t) for kind, t in times.items()}
        rows.append(
            {"name": name}
            | median
            | {f"ratio_{k}": median[k] / median["minidiff"] for k in contenders if k != "minidiff"}
        )
        if not args.json:
            row = rows[-1]
            print(f"{name:26} minidiff {row['minidiff']:.4f} s", end="")
            print(
                "".join(f"   {k} {row[k]:.4f} s = {row[f'ratio_{k}']:.2f}x" for k in peers if k in row),
                flush=True,
            )
    result = {
        "threads": args.threads,
        "torch": torch.__version__,
        "gradients_differ": gradients,
        "samples_differ": samples,
        "work": rows,
    }
    if args.json:
        print(json.dumps(result, indent=2))
    else:
        agree = f"gradients agree to {gradients:.0e}, samples to {samples:.0e}"
        print(f"{args.threads} threads, PyTorch {torch.__version__}; {agree}")


if __name__ == "__main__":
    main()
