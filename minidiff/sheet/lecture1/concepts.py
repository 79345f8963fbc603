"""What the quiz asks about noising, the ELBO, DDPM and DDIM: with numbers (ASKED), without (CONCEPTS; see ../concepts.py)."""

from functools import partial

import numpy as np

from ...continuous import solvers
from ...ddpm import sample
from ...evaluation.floors import loss_floor
from ...evaluation.gap import gap
from ...gaussian import kl, posterior, q_sample, q_step, snr, x_0_from_eps
from ...sampling import beta_of_step, beta_tilde, ddim_step, ddpm_step, gaussian_optimal, trailing
from ...schedule import linear
from ..concepts import COARSE, LINEAR, ONES, TWO_BUMPS, T, ask, bell, near, rng, spread


def _share(t):
    """The posterior's variance as a part of beta_t."""
    return beta_tilde(LINEAR, t, t - 1) / LINEAR.beta[t]


def _mixed_up(t):
    """How far x_t with alpha_t is from x_t with alpha_bar_t."""
    return abs(q_step(COARSE, ONES, t, 2 * ONES) - q_sample(COARSE, ONES, t, 2 * ONES)).item()


# fmt: off
ASKED = {  # by the quiz, instead of the entry's title
    "sum-of-gaussians": "The variance of a eps_1 + b eps_2, with independent standard normal noises",
    "two-step-merge": "The variance of the noise in x_t, given x_{t-2}",
    "forward-closed-form": "x_t, straight from x_0",
    "alpha-bar": "alpha_bar_t",
    "snr": "The signal-to-noise ratio at t, a ratio of variances, for data of variance 1",
    "prior-kl": "KL(q(x_T | x_0) || N(0, I)), in nats",
    "kl-gaussians": "KL(N_1 || N_2), in nats",
    "kl-equal-variance": "KL of two Gaussians of covariance sigma^2 I, in nats",
    "posterior-variance": "The variance of q(x_{t-1} | x_t, x_0)",
    "posterior-precision": "1 / Var(x_{t-1} | x_t, x_0)",
    "mean-gap": "The squared distance between the means of q(x_{t-1} | x_t, x_0) and of p_theta that these noises make",
    "loss-weight": "The ELBO's weight of (eps - eps_hat)^2 at t",
    "loss-weight-beta": "The ELBO's weight at t, sigma^2 = beta_t",
    "loss-weight-beta-tilde": "The ELBO's weight at t, sigma^2 = Var(x_{t-1} | x_t, x_0)",
    "l-simple": "||eps - eps_hat||^2, the sum over two coordinates",
    "loss-floor": "The least E(eps - eps_hat)^2 at t, 1-D data",
    "training-loss": "The squared error of one training example",
    "clean-error": "The squared error of x_0_hat",
    "ddim-ddpm-sigma": "The sigma of DDIM's family that gives DDPM with the posterior's variance",
    "ddim-eta": "sigma_t, DDIM's standard deviation of fresh noise",
    "nfe": "How often DDIM asks the denoiser on S of T times",
    "skipped-ddpm-variance": "DDPM's step from tau_i to tau_{i-1}: the variance of q(x_{tau_{i-1}} | x_{tau_i}, x_0)",
    "product-variance": "The variance of the Gaussian that two Gaussian densities multiply to",
    "product-mean": "The mean of the Gaussian that two Gaussian densities multiply to",
    "forward-closed-form-mean": "E[x_t | x_0]",
    "forward-closed-form-variance": "Var(x_t | x_0)",
    "forward-closed-form-std": "The standard deviation of x_t given x_0",
    "forward-variance": "Var(x_t), x_0 not being known",
    "posterior-mean": "The mean of q(x_{t-1} | x_t, x_0)",
    "posterior-mean-eps": "The mean of q(x_{t-1} | x_t, x_0), x_0 being what eps implies",
    "best-predictor": "E[eps | x_t] for data +1 or -1, equally often",
    "best-predictor-gaussian": "E[eps | x_t] for N(mu, sigma^2) data",
    "clean-estimate": "x_0_hat, the picture that eps_hat implies",
    "clean-estimate-best": "E[x_0 | x_t] for data +1 or -1, equally often",
    "ddim-step": "DDIM's step to t - 1 (eta = 0)",
    "ddpm-last-step": "DDPM's last step, as the algorithm has it",
    "isotropic-density": "The logarithm (natural) of an isotropic Gaussian's density",
}
CONCEPTS = [
    ask("ddim-step", lambda: spread(ddim_step(), 10),
        "A perfect denoiser, data N(0.2, 0.15^2), ten steps of DDIM (eta = 0). How wide are the samples?",
        ("narrower than the data", lambda s: s < 0.149, "long steps follow a bent path by chords"),
        ("exactly as wide as the data", near(0.15, 1e-3), "that needs infinitely many steps"),
        ("wider than the data", lambda s: s > 0.151, "nothing adds noise here")),
    ask("ddpm-without-noise", lambda: (spread(ddpm_step(lambda *_: 0.0), std=0.6), spread(ddim_step(), std=0.6)),
        "You delete sigma_t z from DDPM's step, 50 steps, data of std 0.6. What happens to the samples?",
        ("they crowd around the mean", lambda s: s[0] < 0.7 * s[1], "DDPM's mean left room for it"),
        ("nothing else: that is DDIM", lambda s: abs(s[0] - s[1]) < 0.05, "DDIM's mean puts the old noise back"),
        ("they scatter more", lambda s: s[0] > 1.1 * s[1], "noise widens; without it they are narrower")),
    ask("reverse-variance-bounds", lambda: spread(ddpm_step(beta_of_step)) - spread(ddpm_step(beta_tilde)),
        "DDPM with sigma^2 = beta_t or with the posterior's variance: 50 steps, data of std 0.15. Which samples are "
        "wider?",
        ("those of beta_t", lambda d: d > 1e-4, "beta_t is never below the posterior's variance"),
        ("those of the posterior's variance", lambda d: d < -1e-4, "it is beta_t times a factor below 1"),
        ("both alike", near(0, 1e-4), "in the limit of many steps only")),
    ask("reverse-variance", lambda: [gaussian_optimal(v)(COARSE, 9, 8) / COARSE.beta[9] for v in (1.0, 0.0, 4.0)],
        "For which data is Var(x_{t-1} | x_t) exactly beta_t, at every t?",
        ("N(0, 1)", lambda r: near(1)(r[0]), "noising leaves N(0, 1) as it is, so the way back is noised as the way there"),
        ("a single point", lambda r: near(1)(r[1]), "then x_0 is known and the variance is the posterior's"),
        ("N(0, 4)", lambda r: near(1)(r[2]), "what is wider than the noise is less certain than beta_t")),
    ask("posterior-variance", lambda: float(posterior(COARSE, ONES, ONES, 1, 0)[1].item()),
        "What is the variance of q(x_{t-1} | x_t, x_0) at t = 1?",
        ("0", near(0), "x_{t-1} is x_0, and x_0 is given"),
        ("beta_1", near(COARSE.beta[1]), "that is the variance of x_1 given x_0"),
        ("1", near(1), "that is the variance of pure noise")),
    ask("posterior-variance", lambda: _share(2) - _share(900),
        "Linear schedule, T = 1000: where do beta_t and the posterior's variance differ most, as a ratio?",
        ("near t = 1, just before the picture", lambda d: d < -0.1, "there little noise is left, and x_0 tells much"),
        ("near t = T, in the noise", lambda d: d > 0.1, "1 - alpha_bar is almost the same at t and t - 1 there"),
        ("equally everywhere", near(0, 0.1), "their ratio is (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t)")),
    ask("forward-variance", lambda: [bell(0.0, 2.0).moments(LINEAR, t)[1].item() for t in (0, 300, T)],
        "Data of standard deviation 2, any schedule that ends in noise. What does Var(x_t) do?",
        ("it falls from 4 towards 1", lambda v: v[0] > v[1] > v[2] > 0.99, "alpha_bar 4 + 1 - alpha_bar"),
        ("it stays: the process preserves variance", lambda v: abs(v[0] - v[2]) < 1e-3, "it preserves a variance of 1 only"),
        ("it rises, as each step adds noise", lambda v: v[2] > v[0], "each step also shrinks what is there")),
    ask("forward-closed-form", lambda: [_mixed_up(t) for t in (1, 2, 9)],
        "Somebody writes x_t = sqrt(alpha_t) x_0 + sqrt(1 - alpha_t) eps. Where is it right?",
        ("at t = 1 only", lambda e: e[0] < 1e-12 < e[1], "alpha_bar_1 is alpha_1: a test at t = 1 sees nothing"),
        ("at every t", lambda e: max(e) < 1e-12, "alpha_t is one step's share, alpha_bar_t that of all"),
        ("nowhere", lambda e: min(e) > 1e-12, "one step from x_0 it is right")),
    ask("prior-kl", lambda: np.sqrt(linear(50).alpha_bar[-1]),
        "The linear schedule from 0.0001 to 0.02, made for T = 1000, is used with T = 50. What is wrong with x_T?",
        ("it still shows the picture", lambda root: root > 0.5, "sqrt(alpha_bar_T) is 0.78: sampling starts where no data end"),
        ("nothing: it is pure noise", lambda root: root < 0.05, "the betas of 50 steps add up to a twentieth"),
        ("its noise has more than unit variance", lambda root: root > 1, "1 - alpha_bar never exceeds 1")),
    ask("loss-floor", lambda: loss_floor(TWO_BUMPS, LINEAR, 200, 500, rng())[0],
        "Can L_simple reach 0 for data with two separate bumps?",
        ("no, not even the perfect denoiser does", lambda f: 0.01 < f < 0.99, "many x_0 and eps make the same x_t"),
        ("yes, with a network that is large enough", lambda f: f < 1e-6, "x_t does not determine eps"),
        ("no, it stays at 1", lambda f: f > 0.99, "1 is the loss of answering 0")),
    ask("loss-floor", lambda: [loss_floor(bell(0.0, 1.0), LINEAR, t, 50, rng())[0] for t in (1, T)],
        "At which t is eps hardest to guess from x_t, for N(0, 1) data?",
        ("near t = 1", lambda f: f[0] > 0.9 > 0.1 > f[1], "a trace of noise hides in the data; at T x_t is the noise itself"),
        ("near t = T", lambda f: f[1] > f[0], "there x_t is almost eps: one only has to repeat it"),
        ("at all alike", lambda f: abs(f[0] - f[1]) < 0.1, "the floor is alpha_bar_t here")),
    ask("clean-error", lambda: abs(x_0_from_eps(LINEAR, ONES, T, 1.01 * ONES) - x_0_from_eps(LINEAR, ONES, T, ONES)).item(),
        "A denoiser's answer is off by 0.01 at t = T = 1000 (linear schedule). How far off is x_0_hat?",
        ("by more than 1", lambda e: e > 1, "sqrt(1 - alpha_bar_T) / sqrt(alpha_bar_T) is 157"),
        ("by 0.01", near(0.01, 1e-3), "that holds where signal and noise are equal"),
        ("by less than 0.001", lambda e: e < 1e-3, "that holds near t = 0")),
    ask("ddim-eta", lambda: [spread(ddim_step(1.0), 20) - spread(step, 20)
                             for step in (ddpm_step(beta_tilde), ddpm_step(beta_of_step), ddim_step())],
        "DDIM with eta = 1 is the same step as",
        ("DDPM with the posterior's variance", lambda d: near(0)(d[0]), "then the fresh noise is as wide as the posterior"),
        ("DDPM with sigma^2 = beta_t", lambda d: near(0)(d[1]), "that is no member of DDIM's family"),
        ("DDIM with eta = 0", lambda d: near(0)(d[2]), "eta = 0 draws no noise at all")),
    ask("nfe", lambda: solvers.evaluations(partial(sample, ddim_step()), LINEAR, trailing(T, 20)),
        "DDIM visits 20 of 1000 times. How often does it ask the network?",
        ("20 times", near(20), "once for each step, the one to t = 0 included"),
        ("19 times", near(19), "the last step asks as well"),
        ("21 times", near(21), "at t = 0 nothing is asked")),
    ask("ddim-skip-end", lambda: spread(ddim_step(), 20, stop=-1) / spread(ddim_step(), 20),
        "A sampler of 20 steps stops at tau_1 and forgets the step to 0 (data of std 0.15). The samples are",
        ("too noisy", lambda r: r > 1.1, "at tau_1 their variance still holds 1 - alpha_bar"),
        ("unchanged: alpha_bar is almost 1", near(1, 0.02), "with few steps tau_1 is far from 0"),
        ("too smooth", lambda r: r < 0.9, "what is missing is the removal of noise")),
    ask("ddim-skip-end", lambda: np.sqrt(LINEAR.alpha_bar[1:][1 - 2]),
        "An array ab holds alpha_bar_1..alpha_bar_T, in Python, so that alpha_bar_t is ab[t-1]. Somebody's DDIM step reads "
        "ab[t-2] for alpha_bar_{t-1}. What does the step at t = 1 return?",
        ("almost pure noise", lambda root: root < 0.01, "ab[-1] is the last: x_0_hat gets the weight sqrt(alpha_bar_T)"),
        ("the picture, as it should", lambda root: root > 0.99, "that takes alpha_bar_0 = 1, which the array does not hold"),
        ("nothing: there is no such index", lambda root: not np.isfinite(root), "Python counts -1 from the end")),
    ask("kl-asymmetric", lambda: kl(0.0, 4.0, 0.0, 0.25) - kl(0.0, 0.25, 0.0, 4.0),
        "p is a narrow bell (std 0.5), q a wide one (std 2), both at 0. Which is larger?",
        ("KL(q || p)", lambda d: d > 0.1, "the wide one puts its draws where the narrow one has next to nothing"),
        ("KL(p || q)", lambda d: d < -0.1, "the wide one has some density wherever the narrow one draws"),
        ("both alike", near(0, 0.1), "KL is not symmetric")),
    ask("elbo-gap", lambda: gap(TWO_BUMPS, TWO_BUMPS.eps_theta(COARSE), COARSE, 200, rng()).mean(axis=1)[:-1].sum(),
        "The denoiser is perfect, the steps are few and coarse, the data two bumps. Is the ELBO the log-likelihood?",
        ("no, it is below it", lambda g: g > 0.01, "the true way back is no Gaussian of the variance that was chosen"),
        ("yes: the model is perfect", near(0, 1e-3), "the mean is perfect; the law around it is not Gaussian"),
        ("no, it is above it", lambda g: g < -0.01, "a KL is never negative")),
    ask("snr", lambda: (bell(0.0, 2.0).moments(LINEAR, 500)[1].item() / (1 - LINEAR.alpha_bar[500]) - 1) / snr(LINEAR, 500),
        "Somebody multiplies the data by 2 and keeps the schedule. What happens to the real signal-to-noise ratio?",
        ("it is 4 times as large at every t", near(4, 1e-6), "SNR is a ratio of variances: larger data need more noise"),
        ("it is twice as large", near(2, 1e-6), "standard deviations doubled; the ratio is of variances"),
        ("nothing: it depends on alpha_bar only", near(1, 1e-6), "that is the ratio for data of variance 1")),
]
