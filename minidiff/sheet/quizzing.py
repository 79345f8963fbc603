"""Pen-and-paper questions from the sheet: multiple choice whose wrong options are the wrong versions, questions without
numbers whose answers the package measures (concepts.py), and short answers.

The numbers are the round cases of the entries, so that everything can be worked by hand; the key has every intermediate
value and, for each wrong option, the mistake that leads to it.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from . import find, of_lecture
from .checking import version_of
from .computing import Computed, worked
from .concepts import asked_of, concepts_of
from .entry import round_cases
from .language import ExpressionError
from .verdict import number, written

OPTIONS = "ABCD"
APART = 0.02  # options must differ by 2 % to be told apart by hand
OBVIOUS = {
    "beta",
    "alpha",
    "alpha_bar",
    "T",
    "t",
    "tau",
    "i",
    "x_0",
    "x_t",
    "eps",
    "eps_hat",
}  # the course's own letters


@dataclass(frozen=True)
class Question:
    """text is what to do; options {"A": number or words, ...} or empty for a short answer; answer the letter or the number.

    slips {"A": misconception} for the wrong options; steps [(what, number), ...] is the worked answer, or why says the reason.
    """

    name: str
    lecture: int
    text: str
    latex: str
    answer: object
    steps: list
    options: dict = field(default_factory=dict)
    slips: dict = field(default_factory=dict)
    why: str = ""

    def judge(self, given):
        """(right?, what to say) of what somebody answered: a letter, or a number within 1 %."""
        given = given.strip()
        if self.options:
            letter = given.strip("()").upper()
            if letter not in self.options:
                raise ValueError(f"answer one of {', '.join(self.options)}, got {given!r}")
            return letter == self.answer, self.slips.get(letter, "")
        try:
            value = float(Fraction(given.replace(",", ".")))
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"answer with a number, such as 0.72 or 5/14, got {given!r}") from None
        return abs(value - self.answer) <= 0.01 * abs(self.answer) + 1e-9, ""

    def choices(self):
        """The options in one line, those in words a line each; empty for a short answer."""
        words = any(isinstance(v, str) for v in self.options.values())
        return ("\n   " if words else "    ").join(f"({k}) {number(v)}" for k, v in self.options.items())

    def __str__(self):
        return f"{self.text}\n   {self.choices()}".rstrip()

    def key(self):
        """The worked answer, as lines."""
        lines = [
            f"{self.answer}: {number(self.options[self.answer])}" if self.options else f"{self.answer:.6g}"
        ]
        lines += [
            f"{letter} = {number(self.options[letter])}: {why}" for letter, why in sorted(self.slips.items())
        ]
        return lines + (
            [f"because {self.why}"] if self.why else str(Computed(self.name, self.steps)).splitlines()
        )

    def told(self, right, slip):
        """What somebody hears who answered: the key, and after a mistake where to read on."""
        lines = ["right" if right else f"no. {slip}".rstrip(), *self.key()]
        return "\n".join(lines if right else [*lines, f"read: minidiff show {self.name}"])


class Quiz(list):
    """Questions, and the .seed that draws them again. A notebook shows them; q[0].judge("B") judges, q[0].key() explains."""

    seed = 0

    def __str__(self):
        return "\n\n".join(f"{k}. {q}" for k, q in enumerate(self, 1))

    __repr__ = __str__

    def key(self):
        """All keys, as text."""
        return "\n\n".join("\n   ".join([f"{k}. {q.name}", *q.key()]) for k, q in enumerate(self, 1))

    def ask(self, heard=lambda k, right: None):
        """Asks them in the terminal until q or the end of input; returns (right, asked). What is no answer is asked again.

        heard(k, right?) is told of each answer, k = 0, 1, ...
        """
        right, asked = 0, 0
        for k, question in enumerate(self, 1):
            print(f"\n{k}. {question}")
            verdict = None
            while verdict is None:
                try:
                    typed = input("   your answer (q ends): ").strip()
                    if typed.lower() == "q":
                        return right, asked
                    verdict = question.judge(typed)
                except EOFError:
                    return right, asked
                except ValueError as e:
                    print(f"   {e}")
            print("   " + question.told(*verdict).replace("\n", "\n     "))
            heard(k - 1, verdict[0])
            right, asked = right + verdict[0], asked + 1
        return right, asked


def _options(entry, case, value, rng):
    """[(number, misconception), ...]: the right one, whose misconception is empty, and up to three that can be told apart."""
    found = [(value, "")]
    for wrong, why in (entry.wrong[i] for i in rng.permutation(len(entry.wrong))):
        try:
            other = version_of(wrong, case).value(case)
        except ExpressionError:
            continue
        if math.isfinite(other) and all(abs(other - v) > APART * max(abs(other), abs(v)) for v, _ in found):
            found.append((other, why))
    return found[: len(OPTIONS)]


def _ask(entry, rng, choose):
    """A Question about the entry, or None if none of its cases gives one."""
    cases = [c for c in round_cases(entry) if c.get("T", 0) <= 4]  # those that a person would redo
    right, asked = version_of(entry.answer, cases[0]), asked_of(entry)
    # numbers are given for the wrong versions' letters as well: the right ones alone would tell too much
    letters = right.letters.union(*(version_of(wrong, cases[0]).letters for wrong, _ in entry.wrong))
    letters |= {"x_0", "eps"} & set(cases[0]) if "x_t" in letters else set()
    for case in (cases[k] for k in rng.permutation(len(cases))[:12]):
        value = right.value(case)
        if not math.isfinite(value) or abs(value) < 1e-3:
            continue
        said = letters & {*entry.own, *(letters - OBVIOUS)}
        own = "; ".join(f"{k}: {entry.meaning(k)[1]}" for k in entry.scope if k in said)
        given = written(case, letters) + (f" ({own})" if own else "")
        try:
            steps = worked(entry, case).steps
        except ValueError:
            continue
        if not choose:
            return Question(
                entry.name, entry.lecture, f"{asked}. Compute it for {given}.", entry.latex, value, steps
            )
        found = _options(entry, case, value, rng)
        if len(found) < 3:
            continue
        placed = dict(zip(OPTIONS, (found[i] for i in rng.permutation(len(found)))))
        slips = {letter: why for letter, (_, why) in placed.items() if why}
        (answer,) = placed.keys() - slips.keys()
        text, options = (
            f"{asked}. Which number is it for {given}?",
            {letter: v for letter, (v, _) in placed.items()},
        )
        return Question(entry.name, entry.lecture, text, entry.latex, answer, steps, options, slips)
    return None


def _chain(rng):
    """x_t, x_0_hat and the loss, one after the other: a short answer that walks through lecture 1."""
    betas = [Fraction(b, 10) for b in ((1, 2), (2, 5, 4), (1, 2, 4, 3))[rng.integers(3)]]
    t = int(rng.integers(2, len(betas) + 1))
    x_0, eps, eps_hat = (Fraction(int(v), 2) for v in rng.choice([-4, -3, -1, 1, 2, 3, 4], 3, replace=False))
    ab = math.prod(1 - b for b in betas[:t])
    x_t = math.sqrt(ab) * x_0 + math.sqrt(1 - ab) * eps
    x_0_hat = (x_t - math.sqrt(1 - ab) * eps_hat) / math.sqrt(ab)
    steps = [(f"alpha_bar[{t}]", ab), ("sqrt(alpha_bar[t])", math.sqrt(ab)), ("sqrt(1 - alpha_bar[t])", math.sqrt(1 - ab)),
             ("x_t", float(x_t)), ("x_0_hat", float(x_0_hat)), ("loss", float((eps - eps_hat) ** 2))]  # fmt: skip
    given = f"beta_1..beta_{len(betas)} = {number(tuple(betas))}; t = {t}; x_0 = {number(x_0)}; eps = {number(eps)}"
    network = f"a network that answers eps_hat = {number(eps_hat)}"
    text = f"Compute x_t, x_0_hat and the loss of {network}, for {given}. Give x_0_hat."
    latex = r"x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\epsilon"
    return Question("forward-closed-form", 1, text, latex, float(x_0_hat), steps)


def _concept(concept, rng):
    """A Question about what happens."""
    entry, placed = (
        find(concept.name),
        dict(zip(OPTIONS, (concept.options[i] for i in rng.permutation(len(concept.options))))),
    )
    (answer,) = (letter for letter, option in placed.items() if option is concept.options[0])
    slips = {letter: why for letter, (_, _, why) in placed.items() if letter != answer}
    options = {letter: text for letter, (text, _, _) in placed.items()}
    return Question(
        entry.name, entry.lecture, concept.text, entry.latex, answer, [], options, slips, placed[answer][2]
    )


def quiz(n=8, seed=None, lecture=None, names=None):
    """A Quiz of n questions, 1 to 100: of eight, two without numbers, two short answers, the others multiple choice.

    Without a seed each call draws others; .seed repeats them. names: only about these entries. Raises ValueError for another
    n or an unknown lecture.
    """
    if not 1 <= n <= 100:
        raise ValueError(f"n must lie in 1..100, got {n}")
    entries = [
        f for f in (of_lecture(lecture) if names is None else map(find, names)) if f.answer is not None
    ]
    questions, questions.seed = Quiz(), int(np.random.default_rng().integers(10**6)) if seed is None else seed
    rng = np.random.default_rng([questions.seed, 8])
    concepts = [c for c in concepts_of(lecture) if names is None or c.name in names]
    concepts = [concepts[i] for i in rng.permutation(len(concepts))]
    while len(questions) < n:
        for entry in (entries[i] for i in rng.permutation(len(entries))):
            while len(questions) < n and len(questions) % 8 in (1, 5) and concepts:
                questions.append(_concept(concepts.pop(), rng))
            place = len(questions) % 8
            question = (
                _chain(rng)
                if place == 7 and lecture in (None, 1)
                else _ask(entry, rng, choose=place not in (3, 7))
            )
            if question and len(questions) < n:
                questions.append(question)
            if len(questions) == n:
                break
    return questions
