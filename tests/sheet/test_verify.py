"""verify: every entry measured, every wrong version refuted; a planted mistake is seen."""

from dataclasses import replace

import pytest

from minidiff.sheet import SHEET
from minidiff.sheet.verify import HEAD, as_row, verify

EXPRESSIONS, STATEMENTS = (
    [f for f in SHEET if (f.answer is None) == statement] for statement in (False, True)
)


@pytest.mark.parametrize("entry", SHEET, ids=lambda f: f.name)
def test_every_entry_is_measured_and_its_wrong_versions_refuted(entry):
    for seed in (0, 1, 2**31):
        result = verify(entry, seed)
        assert result["ok"], (
            [r for r in result["rows"] if not r["ok"]],
            [w for w in result["wrong"] if not w["ok"]],
        )
    assert len(result["wrong"]) == len(entry.wrong) >= 1
    assert len(as_row(result)) == len(HEAD)
    assert as_row(result)[-2:] == [f"{len(entry.wrong)}/{len(entry.wrong)}", "ok"]


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=lambda f: f.name)
def test_verify_sees_a_planted_mistake(entry):
    assert not verify(replace(entry, answer=f"1.001 * ({entry.answer}) + 0.1", wrong=()))["ok"]
    assert not verify(replace(entry, wrong=((f"({entry.answer}) * 2/2", "this is right"),)))["ok"]
    if entry.value:
        assert not verify(replace(entry, value=lambda f, c: 1.001 * entry.value(f, c) + 0.1, wrong=()))["ok"]


@pytest.mark.parametrize("entry", STATEMENTS, ids=lambda f: f.name)
def test_verify_sees_a_false_statement(entry):
    """Where two things are said to differ, the false statement is of two that do not."""
    for wrong in [lambda c, rng: 0.0] if entry.relation == "!=" else [wrong for wrong, _ in entry.wrong]:
        assert not verify(replace(entry, oracle=wrong, wrong=()))["ok"]


def test_a_row_says_what_failed():
    row = {"name": "snr", "what": "answer", "claimed": 1.0, "measured": 2.0, "error": 1.0, "bound": 1e-9}
    row |= {"seconds": 0.0, "ok": False}
    assert as_row(row | {"wrong": [{"ok": True}, {"ok": False}]})[-2:] == ["1/2", "FAILED"]
    assert as_row(row | {"wrong": [], "what": ">="})[1:4] == [">= 0", "2", "-"]
