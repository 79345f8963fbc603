"""Measures the sheet itself: every answer and the library against an oracle, every wrong version refuted."""

import math
import time
from dataclasses import replace

import numpy as np

from .checking import measure
from .entry import standard_cases
from .version import version_of

FINITE = 3  # of the standard cases
HEAD = ["formula", "claimed", "measured", "error", "bound", "seconds", "refuted", ""]


def _holds(relation, e, bound):
    """Whether a statement's evidence fits it."""
    return {"=": abs(e) <= bound, ">=": e >= -bound, ">": e > 10 * bound, "!=": abs(e) > 10 * bound}[relation]


def verify(entry, seed=0):
    """Measures one entry on all its cases: a dict of claimed, measured, error, bound, seconds, wrong versions, and whether ok.

    Oracle against answer, oracle against the library's own function, and each wrong version refuted by ten bounds somewhere.
    The worst case is reported; one where a side is not finite is skipped, but FINITE must be left. A statement claims
    that its oracle's number is = 0, >= 0, > 0 or != 0 (in some case).
    """
    began = time.perf_counter()
    rng = np.random.default_rng([seed, entry.number])
    cases = standard_cases(entry, rng)
    measured = [measure(entry, c, rng) for c in cases]
    claims = {entry.relation: lambda c: 0.0}
    if entry.answer is not None:
        claims = {"answer": version_of(entry.answer, cases[0]).value}
        if entry.source:
            claims["library"] = lambda c: float(entry.value(entry.source, c))
    rows = []
    for what, claim in claims.items():
        for c, (m, bound) in zip(cases, measured):
            v = claim(c)
            if math.isfinite(v) and math.isfinite(m):
                fits = _holds(entry.relation, m - v, bound)
                rows.append(
                    {
                        "what": what,
                        "claimed": v,
                        "measured": m,
                        "error": abs(v - m),
                        "bound": bound,
                        "ok": fits,
                    }
                )
    ok = (any if entry.relation == "!=" else all)(r["ok"] for r in rows)
    ok = ok and all(sum(r["what"] == what for r in rows) >= FINITE for what in claims)
    wrong = [_refute(entry, version, why, cases, measured, rng) for version, why in entry.wrong]
    worst = max(rows, key=lambda r: r["error"] / r["bound"], default={})
    return {"name": entry.name, "number": entry.number, "lecture": entry.lecture, "title": entry.title, **worst, "rows": rows,
            "wrong": wrong, "ok": bool(ok and all(w["ok"] for w in wrong)), "seconds": time.perf_counter() - began}  # fmt: skip


def as_row(r):
    """verify's dict under HEAD."""
    numbers = [f"{r['claimed']:.6g}", f"{r['measured']:.6g}", f"{r['error']:.1e}", f"{r['bound']:.1e}"]
    if r["what"] not in ("answer", "library"):  # a statement: = 0, >= 0, > 0, != 0
        numbers[0], numbers[2] = f"{r['what']} 0", "-"
    refuted = f"{sum(w['ok'] for w in r['wrong'])}/{len(r['wrong'])}"
    return [r["name"], *numbers, f"{r['seconds']:.2f}", refuted, "ok" if r["ok"] else "FAILED"]


def _refute(entry, version, why, cases, measured, rng):
    """By how many bounds a wrong version is off, where it is off most; at least 10 refute it."""
    margin = 0.0
    claim = None if callable(version) else version_of(version, cases[0]).value
    for c, (m, bound) in zip(cases, measured):
        if callable(version):
            e, bound = measure(replace(entry, oracle=version), c, rng)
            off = max(0.0, -e) if entry.relation.startswith(">") else abs(e)
        else:
            off = abs(claim(c) - m)
        if math.isfinite(off):
            margin = max(margin, off / bound)
    return {
        "wrong": version if isinstance(version, str) else why,
        "misconception": why,
        "margin": margin,
        "ok": margin >= 10,
    }
