"""Two evenings, idea by idea, and an exam. What was answered wrong comes back: a small file remembers."""

import json
import os
import sys
import textwrap
import time
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..cli.explain import explain
from ..runs.files import folder, replacing
from ..sheet import find
from ..sheet.quizzing import Quiz, quiz

IDEAS = tomllib.loads(Path(__file__).with_name("evenings.toml").read_text(encoding="utf-8"))["idea"]
MARKS = {
    "words": 2,
    "numbers": 3,
    "short": 5,
}  # of a question with options in words, with numbers, and without options
COURSE = (
    1,
    2,
    1,
    3,
    4,
    1,
    2,
    7,
    5,
    1,
    3,
    8,
    2,
    4,
    6,
    1,
)  # the lectures in the order in which an exam asks about them


def kept_at():
    """Where the user's data belong: APPDATA, Library/Application Support, or XDG's data folder."""
    home = {"win32": os.environ.get("APPDATA"), "darwin": "~/Library/Application Support"}.get(sys.platform)
    return (
        Path(home or os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
        / "minidiff"
        / "study.json"
    )


@dataclass
class Kept:
    """What is remembered: ideas that are done, and questions answered wrong, as (n, seed, names, place)."""

    done: list = field(default_factory=list)
    wrong: list = field(default_factory=list)

    @classmethod
    def load(cls):
        """What the file holds; an unreadable one counts as empty."""
        try:
            return cls(**json.loads(kept_at().read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()

    def save(self):
        """Writes the file, whole or not at all."""
        with replacing(folder(kept_at().parent) / kept_at().name) as beside:
            beside.write_text(json.dumps(vars(self)), encoding="utf-8")

    def heard(self, question, right):
        """Notes an answer at once, so that nothing is lost when the terminal is closed."""
        self.wrong = [w for w in self.wrong if w != question] + ([] if right else [question])
        self.save()


def as_text(idea):
    """An idea as one reads it: what it is, where to look, its formula, an example by hand."""
    e, head = (
        explain(find(idea["entries"][0])),
        f"Evening {idea['evening']}, lecture {idea['lecture']}: {idea['title']}",
    )
    lines = [head, "=" * len(head), textwrap.fill(idea["says"], 90), "", f"look:     {idea['look']}"]
    return "\n".join([*lines, f"formula:  {e['formula']}", "by hand:", textwrap.indent(e["worked"], "    ")])


def again(kept):
    """Asks once more what was answered wrong; False if the user stopped."""
    for n, seed, names, k in list(kept.wrong):
        _, asked = Quiz([quiz(n, seed, names=names)[k]]).ask(
            lambda _, right, q=[n, seed, names, k]: kept.heard(q, right)
        )
        if not asked:
            return False
    return True


def go_on(kept, seed):
    """The ideas that are not done yet, each with three questions; False if the user stopped."""
    for idea in (i for i in IDEAS if i["title"] not in kept.done):
        print("\n" + as_text(idea))
        names = idea["entries"]
        _, asked = quiz(3, seed, names=names).ask(
            lambda k, right, names=names: kept.heard([3, seed, names, k], right)
        )
        if asked < 3:
            return False
        kept.done.append(idea["title"])
        kept.save()
    return True


def exam(minutes, seed):
    """[(marks, Question, how kept remembers it), ...], one for five minutes.
    Raises ValueError for minutes outside 10..300."""
    if not 10 <= minutes <= 300:
        raise ValueError(f"exam must last 10 to 300 minutes, got {minutes}")
    asked = []
    for k in range(minutes // 5):
        names = [name for i in IDEAS if i["lecture"] == COURSE[k % len(COURSE)] for name in i["entries"]]
        place = (1, 0, 3, 2)[k % 4]  # words, numbers, short answer, numbers
        q = quiz(4, seed + k, names=names)[place]
        kind = "short" if not q.options else "words" if isinstance(q.options[q.answer], str) else "numbers"
        asked.append(
            (MARKS[kind], replace(q, text=f"[{MARKS[kind]} marks] {q.text}"), [4, seed + k, names, place])
        )
    return asked


def sit(questions, minutes, kept):
    """Asks an exam in the terminal, without a word about right or wrong, until time is over: all marks."""
    end, marks = time.monotonic() + 60 * minutes, []
    for k, (worth, question, place) in enumerate(questions, 1):
        print(f"\n{k}. {question}")
        typed = input(
            f"   your answer, {max(0, end - time.monotonic()) / 60:.0f} minutes left (empty: none): "
        )
        if time.monotonic() > end:
            print("   time is over")
            break
        try:
            right = question.judge(typed)[0]
        except ValueError:  # no answer
            right = False
        kept.heard(place, right)
        marks.append(worth * right)
    return marks + [0] * (len(questions) - len(marks))
