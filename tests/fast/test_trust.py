"""trust: an engine that differs from the readable code by more than roundings is named, and does not run."""

import numpy as np
import pytest
from support import DTYPES, coarse, random_params

from minidiff import ddpm, exact, fast, gaussian, mlp, optim
from minidiff.continuous.flow import FlowDenoiser
from minidiff.ddpm import sample
from minidiff.fast import kernels, sampling, trust, unet
from minidiff.fast import mlp as fast_mlp
from minidiff.objective import Denoiser, loss_and_grads, v_prediction
from minidiff.pictures.unet import UNet
from minidiff.sampling import ddim_step, ddpm_step, trailing
from minidiff.schedule import from_betas

S, MODEL = coarse(), mlp.MLP(3, 16, 2, 8)
X = np.random.default_rng(0).standard_normal((300, 3)).astype(np.float32)


@pytest.mark.parametrize("dtype", DTYPES)
def test_engines_as_they_are_are_trusted(dtype):
    for rows in (1, 4, 5, 64, 70, 200):
        for whole in (True, False):
            assert trust.gradients(fast_mlp.Gradients(MODEL, rows, 6, dtype), 6, whole, False) is None
    for pictures in (UNet(8, width=4, depth=1, labels=3), UNet(4, width=4, depth=1)):
        for rows in (1, 20):
            few = unet.Gradients(pictures, rows, 6, dtype).few()
            assert trust.gradients(few, 6, True, pictures.labels > 0) is None
    assert trust.update(optim.update, fast.update, dtype) is None
    assert fast.trusted_update(dtype, pytest.fail) is fast.update


def test_what_differs_by_more_than_roundings_is_said():
    a = np.linspace(-3, 4, 50, dtype=np.float32)
    assert trust.disagreement("f and g", a, a * np.float32(1 + 1e-4)) is None
    said = trust.disagreement("f and g", a, a + np.float32(0.4) * (a == a[-1]))
    assert said == "f and g disagree by 0.1 of its size: what is written runs, more slowly"
    assert trust.disagreement("f and g", a, a * np.nan) and trust.disagreement("f and g", 0 * a, a)


def turned_too_large(real):
    return lambda W, turned: real(W.dtype.type(1.1) * W, turned)


def rows_beyond(n):
    """The gradient's share of the rows from n on is lost."""

    def break_it(real):
        def mlp_gradients(layers, turned, x_t, embedding, t, target, weight, *rest):
            weight = np.where(np.arange(len(weight)) < n, weight, 0).astype(weight.dtype)
            return real(layers, turned, x_t, embedding, t, target, weight, *rest)

        return mlp_gradients

    return break_it


def late_times(real):
    """The table of embeddings is read one too early from the middle on."""

    def mlp_gradients(layers, turned, x_t, embedding, t, *rest):
        return real(layers, turned, x_t, embedding, np.where(t > len(embedding) // 2, t - 1, t), *rest)

    return mlp_gradients


def no_clipping(real):
    return lambda w, dw, m, v, ema, scale, *rest: real(w, dw, m, v, ema, 1.0, *rest)


def other_steps(real):
    """Right at the steps up to 9."""
    return lambda w, dw, m, v, ema, scale, step, *rest: real(w, dw, m, v, ema, scale, min(step, 10), *rest)


def wrong_decay(real):
    return lambda *args: real(*args[:-1], 0.5)


@pytest.mark.parametrize(
    ("kernel", "mistake", "words"),
    [
        ("turn", turned_too_large, "mlp.MLP.backward and fast.mlp.Gradients, on W"),
        ("mlp_gradients", rows_beyond(8), "mlp.MLP.forward and fast.mlp.Gradients, on the loss"),
        ("mlp_gradients", rows_beyond(68), "mlp.MLP.forward and fast.mlp.Gradients, on the loss"),
        ("mlp_gradients", late_times, "mlp.MLP.forward and fast.mlp.Gradients, on the loss"),
        ("adam", no_clipping, "optim.update and fast.update"),
        ("adam", other_steps, "optim.update and fast.update"),
        ("adam", wrong_decay, "optim.update and fast.update"),
    ],
)
def test_a_broken_engine_is_named_and_left_alone(kernel, mistake, words, monkeypatch):
    ends, said = [], []
    monkeypatch.setattr(kernels, kernel, mistake(getattr(kernels, kernel)))
    for train, how in ((ddpm.train, {}), (fast.train, {"say": said.append})):
        state = optim.start(MODEL.init(np.random.default_rng(3)))
        rng = np.random.default_rng(4)
        for _, _ in zip(range(3), train(MODEL, state, S, ddpm.batches(X, S.T, rng, 140), **how)):
            pass
        ends.append(state)
    assert len(said) == 1 and words in said[0]
    assert np.mean(np.abs(ends[0].params - ends[1].params) > 1e-5) < 0.02


def test_every_size_of_batch_is_compared(monkeypatch):
    """Right for 8 rows and fewer, wrong for more: said when a batch of more comes; the answers are right."""
    said, (x_t, target) = [], X[:32].reshape(2, 16, 3)
    monkeypatch.setattr(kernels, "mlp_gradients", rows_beyond(8)(kernels.mlp_gradients))
    params, t = random_params(MODEL, np.random.default_rng(0), np.float32), np.arange(16) % 6 + 1
    gradients = fast.gradients(MODEL, S.T, np.float32, said.append)
    for rows in (8, 16, 16):
        loss, grads = gradients(MODEL, params, x_t[:rows], t[:rows], target[:rows])
        want = loss_and_grads(MODEL, params, x_t[:rows], t[:rows], target[:rows])
        assert abs(loss / want[0] - 1) < 1e-5 and np.abs(grads - want[1]).max() < 1e-4 * np.abs(want[1]).max()
        assert len(said) == (rows > 8)


def params():
    return random_params(MODEL, np.random.default_rng(1), np.float32)


MIXTURE = exact.Mixture([0.5, 0.5], [[1.0, 0, 0], [-1, 0, 0]], [0.2 * np.eye(3)] * 2)
DENOISERS = {
    "eps": MODEL.eps_theta(params()),
    "v": Denoiser(MODEL.eps_theta(params()), v_prediction, S),
    "flow": FlowDenoiser(MODEL.eps_theta(params()), S),
    "mixture": MIXTURE.eps_theta(S),
}


def changed(which, change):
    """mlp_chain or mixture_chain whose argument number `which` is changed."""
    return lambda real: lambda *args: real(*args[:which], change(args[which]), *args[which + 1 :])


def only_beyond(n):
    """Rows from n on stand still."""

    def break_it(real):
        def chain(x, *rest):
            return np.concatenate([real(x, *rest)[:n], x[n:]])

        return chain

    return break_it


def alone_wrong(real):
    """One row by itself stands still."""
    return lambda x, *rest: real(x, *rest) if len(x) > 1 else x


CHAINS = [
    ("mlp_chain", "eps", changed(1, lambda rows: rows + np.float32(0.1)), 60),
    ("mlp_chain", "v", changed(1, lambda rows: rows + np.float32(0.1)), 60),
    ("mlp_chain", "flow", changed(2, lambda W: W * np.float32(1.1)), 60),
    ("mlp_chain", "eps", changed(6, lambda z: z[..., ::-1].copy()), 60),
    ("mlp_chain", "eps", only_beyond(8), 9),
    ("mlp_chain", "eps", only_beyond(16), 60),
    ("mlp_chain", "eps", alone_wrong, 1),
    ("mlp_chain", "eps", alone_wrong, 129),
    ("mlp_chain", "eps", alone_wrong, 257),
    ("mlp_chain", "eps", only_beyond(127), 300),
    ("mixture_chain", "mixture", changed(1, lambda signal: 1.1 * signal), 60),
    ("mixture_chain", "mixture", only_beyond(127), 300),
]


@pytest.mark.parametrize(("kernel", "which", "mistake", "rows"), CHAINS)
def test_sampling_follows_the_readable_code(kernel, which, mistake, rows, monkeypatch):
    eps_theta, said, times = DENOISERS[which], [], np.array([6, 4, 3, 1, 0])

    def draw():
        return fast.generate(ddpm_step(), eps_theta, S, X[:rows], times, fast.RowNoise(2), say=said.append)

    *_, law = sample(ddpm_step(), eps_theta, S, X[:rows], times, fast.RowNoise(2))
    assert np.abs(draw() - law).max() < 1e-4 * np.abs(law).max() and not said
    monkeypatch.setattr(kernels, kernel, mistake(getattr(kernels, kernel)))
    assert np.array_equal(draw(), law) and len(said) == 1
    assert "ddpm.sample and fast/sampling.py disagree" in said[0]


@pytest.mark.parametrize("where", [0, 10, 19])
@pytest.mark.parametrize("what", ["c_x", "c_eps", "c_z", "time"])
def test_a_wrong_number_in_the_middle_of_a_run_is_seen(what, where, monkeypatch):
    """Of the run's own tables: the first step, one in the middle, and the last, which adds no noise."""
    schedule, said, real = from_betas(np.linspace(0.05, 0.4, 20)), [], sampling._chain_of

    def chain_of(eps_theta):
        def chain(times, c, x_T):
            times, c = times.copy(), c.copy()
            if what == "time":
                times[where] = 20 - times[where]
            else:
                c[where, ["c_x", "c_eps", "c_z"].index(what)] *= 1.1
            return real(eps_theta)(times, c, x_T)

        return chain

    step, times = ddpm_step(), trailing(20, 20)
    *_, law = sample(step, DENOISERS["eps"], schedule, X[:30], times, fast.RowNoise(2))
    monkeypatch.setattr(sampling, "_chain_of", chain_of)
    args = step, DENOISERS["eps"], schedule, X[:30], times, fast.RowNoise(2)
    got = fast.generate(*args, say=said.append)
    invisible = (what, where) in {("c_z", 19), ("time", 10)}  # 0 times 1.1, and 20 - 10
    assert len(said) == (not invisible) and np.abs(got - law).max() < 1e-4 * np.abs(law).max()


def test_a_step_that_draws_what_it_does_not_use_walks_by_itself():
    """Its noise comes in between: a loop that draws only where it adds would take other numbers."""

    def churn(eps_theta, schedule, x_t, t, s, rng):
        z = rng.standard_normal(x_t.shape, x_t.dtype)
        return ddim_step()(eps_theta, schedule, x_t, t, s, rng) + x_t.dtype.type(0.1 if 1 < s < 4 else 0) * z

    times = np.array([6, 5, 3, 2, 1, 0])
    got = fast.generate(churn, DENOISERS["eps"], S, X[:30], times, fast.RowNoise(2), say=pytest.fail)
    *_, law = sample(churn, DENOISERS["eps"], S, X[:30], times, fast.RowNoise(2))
    assert np.array_equal(got, law)


def beyond(n):
    """A chain or jump whose rows from n on are too large."""

    def break_it(real):
        def noising(x, *rest):
            return real(np.where(np.arange(len(x))[:, None] < n, x, 2 * x), *rest)

        return noising

    return break_it


def late_noise(real):
    """Steps with a large beta, which stand in the middle, add too much."""
    return lambda x, beta, *rest: real(x, np.where(beta > 0.28, 1.2 * beta, beta), *rest)


@pytest.mark.parametrize("mistake", [beyond(0), beyond(20), late_noise])
def test_chains_of_noise_follow_the_readable_code(mistake, monkeypatch):
    said, law = [], gaussian.noise_chain(S, X, [2, 6], fast.RowNoise(0))
    draw = lambda: fast.noise_chain(S, X, [2, 6], fast.RowNoise(0), said.append)  # noqa: E731
    assert np.abs(draw() - law).max() < 1e-5 and not said
    monkeypatch.setattr(kernels, "noise_chain", mistake(kernels.noise_chain))
    assert np.array_equal(draw(), law) and len(said) == 1 and "gaussian.noise_chain and its kernel" in said[0]


def late_jump(real):
    return lambda x_0, t, *rest: real(x_0, np.where(t == 4, 5, t), *rest)


@pytest.mark.parametrize("mistake", [beyond(0), beyond(290), late_jump])
def test_jumps_follow_the_readable_code(mistake, monkeypatch):
    said, t = [], np.arange(300) % 7
    draw = lambda: fast.noise_jump(S, X, t, fast.RowNoise(0), said.append)  # noqa: E731
    x_t, eps = draw()
    law = gaussian.q_sample(S, X, t, eps)
    assert np.abs(x_t - law).max() < 1e-5 and not said
    monkeypatch.setattr(kernels, "noise_jump", mistake(kernels.noise_jump))
    x_t, again = draw()
    assert np.array_equal(x_t, law) and np.array_equal(again, eps)
    assert len(said) == 1 and "gaussian.q_sample and fast.kernels.noise_jump" in said[0]


def twice(real):
    return lambda out, y, gate: real(out, 2 * y, gate)


def lonely(real):
    """Pictures that stand by themselves, not eight abreast, are left as they are."""
    return lambda out, y, gate: real(out, y, gate) if out.shape[3] > 8 else None


def abreast(real):
    return lambda out, y, gate: real(out, y, gate) if out.shape[3] <= 8 else None


@pytest.mark.parametrize("mistake", [twice, lonely, abreast])
def test_a_unets_engine_is_compared_before_it_draws(mistake, monkeypatch):
    model, said = UNet(4, width=4, depth=1, labels=2), []
    eps_theta = model.eps_theta(random_params(model, np.random.default_rng(1), np.float32), 1)
    assert type(fast.denoiser(eps_theta, said.append)) is unet.Denoiser and not said
    monkeypatch.setattr(kernels, "gated_add", mistake(kernels.gated_add))
    assert fast.denoiser(eps_theta, said.append) is eps_theta and len(said) == 1
    assert "pictures.unet.UNet.forward and fast.unet.Denoiser" in said[0]


@pytest.mark.parametrize("mistake", [twice, lonely, abreast])
def test_a_unets_engine_is_compared_before_it_learns(mistake, monkeypatch):
    model, said, rng = UNet(4, width=4, depth=1, labels=2), [], np.random.default_rng(0)
    args = random_params(model, rng, np.float32), *rng.standard_normal((2, 40, 16)).astype(np.float32)
    params, x_t, target = args
    t, label = rng.integers(1, 7, 40), rng.integers(0, 3, 40)
    want = loss_and_grads(model, params, x_t, t, target, label)
    monkeypatch.setattr(kernels, "gated_add", mistake(kernels.gated_add))
    loss, grads = fast.gradients(model, S.T, np.float32, said.append)(model, params, x_t, t, target, label)
    assert loss == want[0] and np.array_equal(grads, want[1])
    assert len(said) == 1 and "pictures.unet.UNet.forward and fast.unet.Gradients" in said[0]
