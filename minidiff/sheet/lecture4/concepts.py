"""What the quiz asks about latents, conditions, guidance: with numbers (ASKED), without (CONCEPTS; see ../concepts.py)."""

import numpy as np

from ...evaluation.recursion import moments
from ...gaussian import kl
from ...pictures import guidance, layers
from ...sampling import ddim_step, trailing
from ..concepts import LINEAR, T, ask, bell, near, rng


def _guided(w, y=None):
    """(mean, std) of DDIM's samples with guidance; data N(0, 1), the class y N(1, 0.5^2)."""
    y = y or bell(1.0, 0.5)
    step = lambda e, *rest: ddim_step()(guidance.classifier_free(y.eps_theta(LINEAR), e, w), *rest)  # noqa: E731
    means, covs = moments(step, LINEAR, [0.0], [[1.0]], trailing(T, 50))
    return means[-1].item(), float(np.sqrt(covs[-1].item()))


def _largest_weight(scale, d=256):
    """Attention's largest weight among 8 keys, on average, for unit Gaussian q and k."""
    q, k = rng().standard_normal((2, 50, 8, d))
    return layers.attention(q * scale, k, k)[1][3].max(axis=-1).mean()


# fmt: off
ASKED = {  # by the quiz, instead of the entry's title
    "vae-kl": "KL(N(mu, sigma^2 I) || N(0, I)) in d coordinates, in nats",
    "reconstruction": "-log N(x; x_hat, c^2 I), in nats",
    "clip-loss": "CLIP's loss of two pairs, the mean over both pairs and both directions",
    "cfg": "Guided eps_hat, in the convention where w = 0 is unconditional and w = 1 conditional",
    "classifier-guidance": "The mean of a step guided by w grad log p(y | x)",
    "cfg-other-weight": "The w' with which (1 + w') eps_c - w' eps_u guides as w does in eps_u + w (eps_c - eps_u)",
    "guided-mean": "Mean of p(x) p(y | x)^w, for p(x) = N(mu, sigma^2) and p(x | y) = N(mu_1, sigma^2)",
    "cfg-score": "Guided score, in the convention where w = 0 is unconditional and w = 1 conditional",
    "cfg-data": "Guided guess of the data, in the convention where w = 0 is unconditional and w = 1 conditional",
    "cfg-velocity": "Guided velocity of a flow, in the convention where w = 0 is unconditional and w = 1 conditional",
}
CONCEPTS = [
    ask("cfg", lambda: _guided(4.0)[1] / 0.5,
        "Classifier-free guidance, w = 4: data N(0, 1), the class N(1, 0.5^2), perfect denoisers. How varied are samples?",
        ("less than the class", lambda r: r < 0.95, "what the condition adds counts four times: certainty is exaggerated"),
        ("as the class itself", near(1, 0.02), "that is w = 1"),
        ("more than the class", lambda r: r > 1.05, "the sum of scores is steeper, not flatter")),
    ask("cfg-is-not-tilting", lambda: _guided(4.0)[0],
        "Classifier-free guidance, w = 4, perfect denoisers; data N(0, 1), the class N(1, 0.5^2). Where is the samples' mean?",
        ("beyond 1", lambda m: m > 1.02, "away from what the unconditional model would draw"),
        ("at 1", near(1, 0.02), "that is w = 1"),
        ("between 0 and 1", lambda m: 0 < m < 0.98, "that is w between 0 and 1")),
    ask("cfg", lambda: _guided(0.0),
        "Guidance weight w = 0 in eps_u + w (eps_c - eps_u). What is drawn?",
        ("data of any class", lambda g: abs(g[0]) < 0.1 and g[1] > 0.8, "only the unconditional answer is left"),
        ("data of the class", lambda g: abs(g[0] - 1) < 0.1, "that is w = 1; with (1 + w) eps_c - w eps_u it would be w = 0"),
        ("the opposite of the class", lambda g: g[0] < -0.1, "that takes a negative w")),
    ask("cfg-other-weight", lambda: np.subtract(_guided(7.0, bell(0.0, 1.0)), _guided(1.0, bell(0.0, 1.0))),
        "The network ignores its label. What does guidance with w = 7 change?",
        ("nothing", near(0), "eps_c - eps_u is 0"),
        ("samples become less varied", lambda d: d[1] < -1e-3, "there is no difference that could be scaled"),
        ("samples move away from the mean", lambda d: abs(d[0]) > 1e-3, "there is no difference that could be scaled")),
    ask("vae-kl", lambda: [kl(0.0, 1.0, 0.0, 1.0), kl(3.0, 0.01, 0.0, 1.0)],
        "The VAE's KL term has fallen to 0. What has the encoder learnt?",
        ("nothing: every picture has the code N(0, 1)", lambda k: k[0] == 0 < k[1], "whatever tells pictures apart costs nats"),
        ("to code each picture precisely", lambda k: k[1] == 0, "a narrow code at a place of its own costs nats"),
        ("codes that follow N(0, 1) only on average", lambda k: k[1] < k[0], "the KL is each picture's, not their mixture's")),
    ask("attention-scale", lambda: (_largest_weight(1.0), _largest_weight(16.0)),
        "Attention forgets to divide by sqrt(d), d = 256, unit Gaussian queries and keys. The weights become",
        ("almost one-hot", lambda p: p[1] > 0.85 > p[0], "logits of standard deviation 16: the largest takes all"),
        ("almost equal", lambda p: p[1] < 0.2, "that takes small logits"),
        ("no different: softmax normalises", lambda p: abs(p[0] - p[1]) < 0.05, "it normalises the sum, not the contrast")),
]
