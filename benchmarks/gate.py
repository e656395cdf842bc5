"""The gate over simulated years: harmful promotions, lag and power. Tables for docs/gate.md.

Run `python benchmarks/gate.py` (about eight minutes on one idle core) or `--years 10` (under one).
The rule under test is the shipped one (`nightschool.exams.rule`), fed arrays instead of exams.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from scipy.signal import lfilter
from scipy.special import ndtr, ndtri
from scipy.stats import beta

from gate_power import PRESETS, power_rows, skill_rows, test_rows
from nightschool.exams.rule import Marks, Rule
from nightschool.types import Decision, Look

Rows = list[dict[str, object]]
HARM = -0.01


@dataclass(frozen=True)
class World:
    """How models and exams vary. An answer is right when its latent margin is above 0.

    The margin is ability (the scenario's) + the item's ease + the version's own whim on that item,
    of which `churn` is the share of answers that flip in a night and `whim` the share of the
    variance, so the share that flips in the long run. `blur` makes the mark soft: the probability
    of the right answer is Phi(margin / blur); 0 means marks of 0 and 1. `wobble` is the night's
    luck in true ability (0.01 is about a third of a point). Each of the
    `skills` drifts by itself, and begins its course `stagger` nights after the one before. The
    bank starts at `file` items and grows by `a_night`.
    """

    churn: float = 0.08
    whim: float = 0.3
    blur: float = 0.5
    blur_end: float = 0.5
    wobble: float = 0.01
    skills: int = 8
    stagger: int = 0
    file: int = 150
    a_night: float = 2.5
    nights: int = 365


@dataclass(frozen=True)
class Year:
    """One simulated lineage: `marks` (nights + 1, items); true means of soft and right answers."""

    marks: NDArray[np.float32]
    soft: NDArray[np.float64]
    right: NDArray[np.float64]
    items: NDArray[np.int64]
    groups: NDArray[np.int64]


Nights = NDArray[np.int64]
Floats = NDArray[np.float64]
Course = Callable[[Nights, np.random.Generator], NDArray[np.floating]]


def quick_start(t: Nights) -> Floats:
    """From 45 % to 75 % right: two thirds of it in five or six nights, then a plateau."""
    right: Floats = 0.45 + 0.30 * (1.0 - np.exp(-t / 5.0))
    return right


def drifting(t: Nights, rng: np.random.Generator) -> Floats:
    """A random walk of 0.6 points a night, drawn back to 70 % within about three months."""
    walk = lfilter([1.0], [1.0, -(1.0 - 1.0 / 90.0)], 0.006 * rng.standard_normal(len(t)))
    right: Floats = np.clip(0.70 + walk - walk[0], 0.3, 0.95)
    return right


def poisoned(t: Nights, rng: np.random.Generator) -> Floats:
    """A quick start, and about 12 nights a year that cost 3 to 10 points, mostly made good in 5."""
    hits = (rng.random(len(t)) < 12 / 365) * rng.uniform(0.03, 0.10, len(t))
    drop: Floats = lfilter([1.0], [1.0, -0.6], hits)
    return quick_start(t) - drop


COURSES: dict[str, Course] = {
    "equal": lambda t, rng: np.full(len(t), 0.75),
    "a point worse": lambda t, rng: np.where(t < 3, 0.75, 0.7365),
    "worse": lambda t, rng: 0.75 - 0.10 * t / max(len(t) - 1, 1),
    "learning": lambda t, rng: quick_start(t),
    "drifting": drifting,
    "poisoned": poisoned,
    "fallen": lambda t, rng: np.where(t < 1, 0.75, 0.69),
    "ten nights": lambda t, rng: 0.45 + 0.03 * t,
}


def series(
    rng: np.random.Generator, shape: tuple[int, int], keep: float, scale: float
) -> NDArray[np.float32]:
    """Independent columns that wander night by night (first-order autoregression)."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise[1:] *= np.float32(np.sqrt(1.0 - keep * keep))
    past = np.asarray((1.0, -keep), dtype=np.float32)
    walk: NDArray[np.float32] = lfilter(np.asarray((scale,), dtype=np.float32), past, noise, axis=0)
    return walk


def live(course: Course, world: World, rng: np.random.Generator) -> Year:
    """A year of nightly trainees and their marks on every item the bank will ever hold."""
    t = np.arange(world.nights + 1)
    items = (world.file + world.a_night * t).astype(np.int64)
    if world.stagger:
        delay = world.stagger * np.arange(world.skills)
        share = course(np.maximum(t[:, None] - delay, 0), rng)
    else:
        share = course(t, rng)[:, None]
    skill = ndtri(share) + world.wobble * rng.standard_normal((len(t), 1))
    skill = skill + series(rng, (len(t), world.skills), 0.98, 0.06)
    groups = rng.integers(0, world.skills, items[-1])
    keep = 1.0 - (1.0 - np.cos(np.pi * world.churn)) / world.whim
    margin = series(rng, (len(t), items[-1]), keep, np.sqrt(world.whim))
    margin += np.sqrt(1.0 - world.whim) * rng.standard_normal(items[-1], dtype=np.float32)
    margin += skill[:, groups].astype(np.float32)
    right = ndtr(skill).mean(axis=1)
    if world.blur == 0.0:
        return Year((margin > 0).astype(np.float32), right, right, items, groups)
    blur = np.linspace(world.blur, world.blur_end, len(t))
    margin /= blur[:, None].astype(np.float32)
    soft = ndtr(skill / np.sqrt(1.0 + blur * blur)[:, None]).mean(axis=1)
    return Year(ndtr(margin), soft, right, items, groups)


@dataclass(frozen=True)
class Served:
    """What a rule did in a year: who served each night, each change (from, to), refusals."""

    served: NDArray[np.int64]
    changes: tuple[tuple[int, int], ...]
    rolled_back: tuple[int, ...]
    refused: int
    looks: int


def serve(rule: Rule, year: Year, champion: int = 0, previous: int | None = None) -> Served:
    """Live through the year under the rule, as the school does."""
    looks: list[Look] = []
    served, changes, backs = [champion], [], []
    refused = 0
    for night in range(1, len(year.items)):
        n, day = int(year.items[night]), night - 1
        if champion != night and rule.due(day, n, looks):
            rows = (champion, night, champion if previous is None else previous)
            own, new, old = (year.marks[row, :n].astype(np.float64) for row in rows)
            marks = Marks(own, new, None if previous is None else old, year.groups[:n])
            ruling = rule.decide(day, marks, looks)
            promoted = ruling.decision is Decision.PROMOTE
            refused += 1 if ruling.lost else 0
            if ruling.spent > 0.0:
                looks.append(Look(night, day, n, ruling.spent, promoted, "", ""))
            after = night if promoted else champion
            if ruling.decision is Decision.ROLL_BACK and previous is not None:
                after = previous
                backs.append(night)
            if after != champion:
                changes.append((champion, after))
                previous, champion = champion, after
        served.append(champion)
    return Served(np.array(served), tuple(changes), tuple(backs), refused, len(looks))


def at_most(k: int, n: int) -> float:
    """Clopper-Pearson upper bound (one-sided 95 %) of a share, in percent."""
    return 100.0 if k >= n else 100.0 * float(beta.ppf(0.95, k + 1, n - k))


def many_years(
    name: str, world: World, rules: dict[str, Rule], years: int, seed: Sequence[int]
) -> Iterator[dict[str, object]]:
    """One row for each rule; all rules live through the same years."""
    fallen = name == "fallen"
    lived: dict[str, list[tuple[float, ...]]] = {rule: [] for rule in rules}
    for number in range(years):
        year = live(COURSES[name], world, np.random.default_rng([*seed, number]))
        for label, rule in rules.items():
            did = serve(rule, year, 1, 0) if fallen else serve(rule, year)
            lag = 100.0 * (year.right - year.right[did.served])[1:]
            harm = any(year.soft[b] - year.soft[a] <= HARM for a, b in did.changes)
            harm_right = any(year.right[b] - year.right[a] <= HARM for a, b in did.changes)
            vain = any(year.soft[b] <= year.soft[a] for a, b in did.changes)
            promoted = len(did.changes) - len(did.rolled_back)
            last = did.rolled_back[0] if did.rolled_back else np.inf
            lived[label].append(
                (harm, harm_right, lag.mean(), np.maximum(lag, 0.0).mean(), lag[:30].mean(),
                 lag[-1], promoted, len(did.rolled_back), did.refused, did.looks, last, vain)
            )  # fmt: skip
    for label, years_lived in lived.items():
        table = np.array(years_lived, dtype=np.float64)
        harmed = int(table[:, 0].sum())
        mean, middle = table.mean(axis=0).tolist(), np.median(table, axis=0).tolist()
        yield {
            "preset": label,
            "trainee": name,
            "file": world.file,
            "years": years,
            "harmful %": round(100 * mean[0], 1),
            "at most %": round(at_most(harmed, years), 1),
            "by right answers %": round(100 * mean[1], 1),
            "not better %": round(100 * mean[11], 1),
            "lag": round(mean[2], 2),
            "behind": round(mean[3], 2),
            "lag 30": round(mean[4], 2),
            "last night": round(middle[5], 2),
            "promoted": round(mean[6], 1),
            "rolled back": round(mean[7], 2),
            "refused": round(mean[8], 2),
            "looks": round(mean[9], 0),
            "back on night": middle[10] if fallen else "",
        }


@dataclass(frozen=True)
class FlatRule(Rule):
    """A rival: the same level at every look, for ever."""

    flat: float = 0.05

    def level(self, day: int, looks: Sequence[Look]) -> float:
        """The flat level."""
        return self.flat


def rivals() -> dict[str, Rule]:
    """Rules that were tried and lost, beside the one that won."""
    b = PRESETS["balanced"]
    nightly = FlatRule(margin=0.0, budget=0.5, renews=True, growth=1e-9, every=1)
    return {
        "balanced": b,
        'null "not better"': replace(b, margin=0.0),
        "margin of 2 points": replace(b, margin=0.02),
        "budget renewed yearly only": replace(b, renews=False),
        "looks at 15 % growth": replace(b, growth=0.15),
        "patience 1": replace(b, patience=1.0),
        "5 % every night, not better": nightly,
        "5 % every night, a point worse": replace(nightly, margin=0.01),
    }


Job = tuple[str, str, World, dict[str, Rule]]


def jobs() -> list[Job]:
    """(table, trainee, world, rules) of everything that is simulated by years."""
    plain = World()
    main = ["equal", "a point worse", "worse", "learning", "drifting", "poisoned"]
    work: list[Job] = [
        ("years", name, replace(plain, file=file), PRESETS)
        for file in (0, 60, 150)
        for name in main
    ]
    rough = replace(plain, churn=0.15, whim=0.5)
    work += [("rough", n, rough, PRESETS) for n in ("a point worse", "drifting")]
    work += [("skill after skill", "learning", replace(plain, stagger=8), PRESETS)]
    work += [("luck", n, replace(plain, wobble=0.06), PRESETS) for n in ("equal", "worse")]
    work += [("hard", n, replace(plain, blur=0.0), PRESETS) for n in ("learning", "drifting")]
    work += [("sharper", "worse", replace(plain, blur=0.7, blur_end=0.35), PRESETS)]
    work += [("fallen", "fallen", replace(plain, file=f), PRESETS) for f in (60, 150)]
    work += [("rivals", n, plain, rivals()) for n in ("a point worse", "learning", "equal")]
    ten = replace(plain, nights=10, a_night=5.0)
    for file in (0, 60, 150):
        work += [("ten", "ten nights", replace(ten, file=file), PRESETS)]
    return work


def markdown(rows: Rows) -> str:
    """Rows as a Markdown table; columns that are empty in every row are left out."""
    names = [k for k in rows[0] if any(row[k] != "" for row in rows)]
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(f"{row[k]:g}" if isinstance(row[k], float) else str(row[k])
                         for k in names) for row in rows]  # fmt: skip
    return "\n".join(f"| {line} |" for line in lines)


def write(out: Path, tables: dict[str, Rows]) -> None:
    """One CSV a table, and all of them in one Markdown file."""
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        with (out / f"gate-{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    text = "\n\n".join(f"## {name}\n\n{markdown(rows)}" for name, rows in tables.items())
    (out / "gate.md").write_text(text + "\n", encoding="utf-8")


def main(arguments: Iterable[str] | None = None) -> None:
    """Simulate, show progress, write tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--years", type=int, default=200, help="simulated years a row")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/gate"))
    options = parser.parse_args(None if arguments is None else list(arguments))
    tables: dict[str, Rows] = {}
    work = jobs()
    with Progress() as bar:
        task = bar.add_task("years", total=len(work) + 3)
        for number, (table, name, world, rules) in enumerate(work):
            bar.update(task, description=f"{table}: {name}, file of {world.file}")
            rows = many_years(name, world, rules, options.years, (options.seed, number))
            tables.setdefault(table, []).extend(rows)
            bar.advance(task)
        for table, make in (("power", power_rows), ("tests", test_rows), ("skills", skill_rows)):
            bar.update(task, description=table)
            tables[table] = list(make(max(2 * options.years, 20), options.seed))
            bar.advance(task)
    write(options.out, tables)
    print((options.out / "gate.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
