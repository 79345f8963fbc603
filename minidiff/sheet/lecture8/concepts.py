"""What the quiz asks about alignment and distillation: with numbers (ASKED), without (CONCEPTS; see ../concepts.py)."""

from ..computing import compute
from ..concepts import ask, near


def _found(name, **numbers):
    """The formula's number."""
    return float(compute(name, **numbers).result)


# fmt: off
ASKED = {  # by the quiz, instead of the entry's title
    "bradley-terry": "P(w preferred to l), rewards in nats",
    "group-advantage": "Advantage of the first of three answers, the std of all three (divided by n)",
    "masked-weight": "The weight w(t) that makes E[number of masked tokens] w(t) = d at every t",
    "lora-parameters": "Parameters of both factors of a low-rank update (LoRA)",
    "best-of-n-kl": "KL(best of n draws || one draw), in nats",
    "dmd-direction": "The gradient by which distribution matching (DMD) moves a picture x; it is taken off, x - lr gradient",
}
CONCEPTS = [
    ask("bradley-terry", lambda: _found("bradley-terry", r_w=7, r_l=6) - _found("bradley-terry", r_w=2, r_l=1),
        "5 is added to every reward. How often is the better one preferred under Bradley-Terry?",
        ("as often", near(0), "only differences of rewards count"),
        ("more often", lambda d: d > 1e-6, "both rewards grow alike"),
        ("less often", lambda d: d < -1e-6, "it is the difference that counts, not the ratio")),
    ask("group-advantage", lambda: _found("group-advantage", r_1=10, r_2=20, r_3=60)
        / _found("group-advantage", r_1=1, r_2=2, r_3=6),
        "All rewards of a group are multiplied by 10. The advantages",
        ("stay the same", near(1), "they are divided by the group's standard deviation"),
        ("are multiplied by 10", near(10), "the deviation is, too"),
        ("are multiplied by sqrt(10)", near(10**0.5), "the divisor is the deviation, not the variance's fourth root")),
    ask("lora-parameters", lambda: [_found("lora-parameters", r=r, d=4096, k=4096) / 4096**2 for r in (8, 16, 2048)],
        "LoRA on a 4096 x 4096 weight. At which rank has it as many parameters as the weight itself?",
        ("2048", lambda n: near(1)(n[2]), "r (d + k) = d k at half of the width"),
        ("8", lambda n: near(1)(n[0]), "that is one 256th of them"),
        ("16", lambda n: near(1)(n[1]), "that is one 128th of them")),
    ask("distillation-rounds", lambda: [_found("distillation-rounds", n=n) for n in (1024, 2048)],
        "Progressive distillation starts from twice as many steps. How many more rounds does it need?",
        ("one", lambda r: near(1, 1e-6)(r[1] - r[0]), "each round halves the number of steps"),
        ("twice as many", lambda r: near(2, 1e-6)(r[1] / r[0]), "rounds are the logarithm of the steps"),
        ("none", lambda r: r[0] == r[1], "one more halving is to be done")),
    ask("masked-weight", lambda: [0.25 * _found("masked-weight", t="1/4", d=3), 0.25],
        "Masked diffusion weights its loss by 1/t, t the chance of a mask. Why?",
        ("so that all t count alike", lambda n: n[0] == 1, "on average t d tokens are masked, so t d / t does not depend on t"),
        ("small t are to count less", lambda n: n[0] < n[1], "1/t raises what few masks would give"),
        ("it makes the loss unbiased in the tokens that are not masked", lambda n: n[0] == 0, "these have no loss")),
]
