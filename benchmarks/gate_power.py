"""Power of the gate's test and of its rivals; how a lost skill is seen. For docs/gate.md.

`benchmarks/gate.py` runs this with the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import binom, ttest_1samp

from nightschool.exams import balanced, strict
from nightschool.exams.paired import p_at_most
from nightschool.exams.rule import Marks
from nightschool.types import Look

PRESETS = {"balanced": balanced().rule, "strict": strict().rule}


def pair(
    rng: np.random.Generator, n: int, before: float, after: float, churn: float, blur: float
) -> NDArray[np.float64]:
    """Differences in mark between two models with those shares right, on n items."""
    shared, own = np.cos(np.pi * churn), 1.0 - np.cos(np.pi * churn)
    ease = np.sqrt(shared) * rng.standard_normal(n)
    whims = np.sqrt(own) * rng.standard_normal((2, n))
    margin = ndtri([[before], [after]]) + ease + whims
    marks = ndtr(margin / blur) if blur else (margin > 0).astype(np.float64)
    difference: NDArray[np.float64] = marks[1] - marks[0]
    return difference


def power_rows(times: int, seed: int) -> Iterator[dict[str, object]]:
    """How often one look promotes, at the first level of each preset and twenty looks later."""
    levels = [(name, r, k) for name, r in PRESETS.items() for k in (0, 20)]
    looks = [Look(0, 0, 0, 0.0, False, "", "")] * 20
    for churn in (0.05, 0.10, 0.20):
        for gain in (0.0, 0.02, 0.05, 0.10, 0.20):
            for n in (60, 100, 150, 200, 400, 1000):
                rng = np.random.default_rng([seed, round(1000 * churn), round(100 * gain), n])
                seen = [pair(rng, n, 0.6, 0.6 + gain, churn, 0.5) for _ in range(times)]
                row: dict[str, object] = {"churn %": 100 * churn, "gain": 100 * gain, "items": n}
                for margin in (0.01, 0.0):
                    p = np.array([p_at_most(d, -margin) if d.mean() > 0 else 1.0 for d in seen])
                    for name, rule, k in levels:
                        if rule.margin == margin:
                            share = np.mean(p <= rule.level(0, looks[:k]))
                            row[f"{name}, look {k + 1}"] = f"{share:.2f}"
                yield row


def sign_p(d: NDArray[np.float64], rng: np.random.Generator) -> float:
    """The prototype's test: marks made 0 or 1 by one shared uniform draw, then the sign test."""
    apart = rng.random(len(d)) < np.abs(d)
    wins, n = int((d[apart] > 0).sum()), int(apart.sum())
    return float(binom.sf(wins - 1, n, 0.5))


def test_rows(times: int, seed: int) -> Iterator[dict[str, object]]:
    """Power of rival tests at level 2.5 % of "not better", and their error where wins are small.

    "rare loss": 2 % of the items are wholly lost and all others gain 2 hundredths: no better.
    """
    for n in (60, 100, 200, 400):
        for label, gain in (("equal", 0.0), ("+5", 0.05), ("+10", 0.10), ("rare loss", None)):
            rng = np.random.default_rng([seed, n, len(label)])
            hits = np.zeros(4)
            for _ in range(times):
                if gain is None:
                    soft = np.where(rng.random(n) < 0.02, -1.0, 0.02 / 0.98)
                    hard = soft
                else:
                    soft = pair(rng, n, 0.6, 0.6 + gain, 0.10, 0.5)
                    hard = pair(rng, n, 0.6, 0.6 + gain, 0.10, 0.0)
                spread = soft.std() > 0
                t = ttest_1samp(soft, 0.0, alternative="greater").pvalue if spread else 0.0
                ps = (p_at_most(soft), float(t), sign_p(soft, rng), p_at_most(hard))
                hits += np.array(ps) <= 0.025
            names = ("weighted, soft", "t, soft", "sign, drawn", "sign, right or wrong")
            shares = {k: f"{v:.3f}" for k, v in zip(names, hits / times, strict=True)}
            yield {"items": n, "true change": label, **shares}


def skill_rows(times: int, seed: int) -> Iterator[dict[str, object]]:
    """Eight skills: how often a fall is seen when one falls, and when none does (false alarm)."""
    rule = PRESETS["balanced"]
    for n in (10, 20, 40, 80):
        groups = np.repeat(np.arange(8), n)
        for fall in (0.0, 0.15, 0.30):
            rng = np.random.default_rng([seed, n, round(100 * fall)])
            caught = others = 0
            for _ in range(times):
                change = np.concatenate(
                    [pair(rng, n, 0.9, 0.9 - fall, 0.1, 0.5)]
                    + [pair(rng, n, 0.6, 0.65, 0.1, 0.5) for _ in range(7)]
                )
                marks = Marks(np.zeros(8 * n), change, None, groups)
                lost = [s.group for s in rule.skills(marks) if s.lost]
                caught += 0 in lost
                others += any(g != 0 for g in lost)
            yield {
                "items a skill": n, "fall": 100 * fall,
                "seen": f"{caught / times:.2f}", "false alarm": f"{others / times:.3f}",
            }  # fmt: skip
