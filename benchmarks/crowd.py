"""Careless and hostile people: how right the examples are, and what is left after a withdrawal.

    python benchmarks/crowd.py                 # 2,000 items, 5 answers each, 40 people, 10 seeds
    python benchmarks/crowd.py --crowd-kit     # crowd-kit's models beside ours
    python benchmarks/crowd.py --churn         # examples that new answers make anew, night by night
    python benchmarks/crowd.py --withdraw      # one hostile person withdrawn, then a rebuild

25 of the people are right 75 % of the time and 15 are right 30 % of the time; a wrong answer is
any of the others with equal chance. Free text has 20 wrong answers for each item, and nobody says
how many. "forced" takes the best answer for every item; "examples" are what the school would
train on: by majority none where two answers tie, by trust none that is less likely right than not.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nightschool.curation import Ballot, Curator, curate, one_coin
from nightschool.curation.agreement import ballots_of, majority
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    Example,
    Partition,
    Question,
    Reply,
)

PEOPLE = [0.75] * 25 + [0.3] * 15
FREE = 21
"""Answers that a free text could have: one is right."""


def answers_of(
    items: int, voices: int, labels: int, seed: int
) -> tuple[list[AnsweredQuestion], dict[int, str]]:
    """Answered questions of so many labels, and the truth of each context."""
    rng = np.random.default_rng(seed)
    made, truth = [], {}
    for i in range(items):
        context = Context.of(f"item {i} of crowd {seed} is")
        right = int(rng.integers(labels))
        truth[context.id] = str(right)
        question = Question(f"q{i}", context, Partition.TRAINING, "random", 0.0, "v0", 1, i)
        given = []
        for person in rng.choice(len(PEOPLE), voices, replace=False):
            said = right
            if rng.random() >= PEOPLE[person]:
                said = int((right + rng.integers(1, labels)) % labels)
            name = f"{i}-{person}"
            given.append(
                Answer(
                    name, question.id, f"p{person:02}", Reply.ANSWER, Document(str(said)), 1.0, i
                )
            )
        made.append(AnsweredQuestion(question, tuple(given)))
    return made, truth


def forced(ballots: Sequence[Ballot], truth: dict[int, str], how: Callable, rng) -> float:
    """The share of ballots whose most probable answer is right; ties are drawn."""
    right = 0.0
    posterior = how(ballots).posterior
    for ballot in ballots:
        if ballot.truth:
            continue
        given = posterior[ballot.name]
        top = max(given.values())
        best = [said for said, p in given.items() if p > top - 1e-12]
        right += truth[ballot.name] in best and rng.random() < 1 / len(best)
    return right / sum(not ballot.truth for ballot in ballots)


def taught(examples: Sequence, truth: dict[int, str]) -> tuple[float, int]:
    """The share of examples that are right, and how many there are."""
    right = [e.target.body == truth[Context(e.context).id] for e in examples]
    return float(np.mean(right)), len(right)


def one_run(labels: int, seed: int, args: argparse.Namespace) -> dict[str, float]:
    """Shares in [0, 1] of one crowd: majority, trust, and trust with gold."""
    free = labels == 0
    answered, truth = answers_of(args.items, args.voices, labels or FREE, seed)
    known = 0 if free else labels
    gold_n = round(args.gold * args.items)
    rest = answered[gold_n:]
    ballots = ballots_of(rest, known)
    # Gold comes on top: the same items are scored with and without it.
    anchors = ballots_of(answered[:gold_n], known, lambda name: [truth[name]])
    rng = random.Random(seed)
    row = {}
    by_vote, n_vote = taught(curate(rest, 1), truth)
    row["majority, forced"] = forced(ballots, truth, majority, rng)
    row["majority, examples"], row["majority, share"] = by_vote, n_vote / len(rest)
    for name, more in (("ours", []), ("ours + gold", anchors)):
        began = time.perf_counter()
        examples = Curator(one_coin, known, more)(rest, 1)
        row[f"{name}, seconds"] = time.perf_counter() - began
        right, n = taught(examples, truth)
        row[f"{name}, forced"] = forced([*ballots, *more], truth, one_coin, rng)
        row[f"{name}, examples"], row[f"{name}, share"] = right, n / len(rest)
    found = one_coin([*ballots, *anchors])
    told = np.array([found.trust(f"p{i:02}") for i in range(len(PEOPLE))])
    row["error of a person's accuracy"] = float(np.abs(told - PEOPLE).mean())
    if args.crowd_kit:
        from nightschool.curation import crowdkit

        for how in (crowdkit.one_coin_dawid_skene, crowdkit.dawid_skene, crowdkit.glad):
            row[f"crowd-kit {how.__name__}, forced"] = forced(ballots, truth, how, rng)
    return row


def accuracy(args: argparse.Namespace) -> None:
    """Print the table of all kinds of answers, means over the seeds with their standard errors."""
    for labels in (2, 4, 10, 0):
        rows = [one_run(labels, seed, args) for seed in range(args.seeds)]
        print(f"\n{labels or 'free text'}{' labels' if labels else f', {FREE} answers each'}")
        for name in rows[0]:
            values = np.array([row[name] for row in rows])
            error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
            print(f"  {name:36} {100 * values.mean():6.2f} ± {100 * error:.2f}"
                  if "seconds" not in name else f"  {name:36} {values.mean():6.3f}")  # fmt: skip
        gain = np.mean([r["ours, examples"] - r["majority, forced"] for r in rows])
        like = np.mean([r["ours, examples"] - r["majority, examples"] for r in rows])
        least = min(r["ours, examples"] - r["majority, forced"] for r in rows)
        print(f"  examples against majority: {100 * gain:+.1f} points (least {100 * least:+.1f}); "
              f"against majority's examples without ties: {100 * like:+.1f}")  # fmt: skip


def churn(args: argparse.Namespace) -> None:
    """Print how many examples each night's answers make anew, beside those that are new."""
    for labels in (4, 0):
        lone, _ = answers_of(args.items, 1, labels or FREE, 0)
        shared, _ = answers_of(args.items, 3, labels or FREE, 1)
        # One question in five is asked of three people, the others of one.
        mixed = [s if i % 5 == 0 else a for i, (a, s) in enumerate(zip(lone, shared, strict=True))]
        for name in ("with slack", "without"):
            held: dict[int, Example] = {}
            old: set[str] = set()
            again = []
            for n in range(40, args.items + 1, 40):
                known = held if name == "with slack" else {}
                made = Curator(one_coin, labels, held=known)(mixed[:n], 1)
                held = {Context(e.context).id: e for e in made}
                now = {e.id for e in made}
                again.append(len(old - now))
                old = now
            late = again[len(again) // 2 :]
            print(
                f"{labels or 'free text'}, {name}: {len(again)} nights of 40 contexts; examples "
                f"that changed a night: mean {np.mean(again):.1f}, in the later half "
                f"{np.mean(late):.1f}, most {max(again)}; {len(old)} examples at the end"
            )


def withdraw(args: argparse.Namespace) -> None:
    """Withdraw a hostile person and rebuild; compare with a school that never had them."""
    for learner in ("bagofwords", "classification"):
        found = []
        for hostile in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                found.append(_school(Path(folder) / "school", learner, hostile))
        (one, before, gone), (two, _, _) = found
        print(f"{learner}: {gone} answers withdrawn; weights {one[:12]} with, {two[:12]} without "
              f"that person: {'EQUAL' if one == two else 'DIFFERENT'}; before the rebuild "
              f"{before[:12]}")  # fmt: skip


def _school(folder: Path, learner: str, hostile: bool) -> tuple[str, str, int]:
    """Three nights with five people, perhaps one hostile; the hash of the rebuilt weights."""
    from nightschool.app import School
    from nightschool.app.init import init_school
    from nightschool.types import Pick

    labels = ["red", "green", "blue", "grey"]
    settings: dict[str, object] = {
        "learner": learner,
        "seed": 5,
        "questions": 20,
        "gold_share": 0.0,
    }
    if learner == "classification":
        settings["learner_settings"] = {"labels": labels}
    init_school(folder, settings=settings)
    clock = [1_000_000.0]
    rng = random.Random(1)
    with School.open(folder, clock=lambda: clock[0]) as school:
        school.warehouse.set_meta("seed", "11")
        made = (Context.of(f"thing {i} of {labels[i % 4]} kind looks") for i in range(400))
        contexts = [c for c in made if school.side(c) is Partition.TRAINING][:60]
        for night in range(3):
            for context in contexts[20 * night : 20 * night + 20]:
                right = context.text.split()[3]
                said = {
                    f"p{i}": right if rng.random() < 0.8 else rng.choice(labels) for i in range(4)
                }
                said["mal"] = rng.choice([label for label in labels if label != right])
                order = sorted(said, key=lambda _: rng.random())
                school.add_contexts([context])
                trainee = school.warehouse.trainee()
                school.warehouse.append([Pick(context, Partition.TRAINING, "test", 0.0)], trainee)
                [asked] = [q for q in school.warehouse.queue() if q.context.id == context.id]
                for person in order:
                    if person == "mal" and not hostile:
                        continue
                    name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{context.id} {person}"))
                    document = Document(said[person])
                    school.keep(
                        Answer(name, asked.id, person, Reply.ANSWER, document, 1.0, clock[0])
                    )
            clock[0] += 86_400
            school.night()
        before = school.warehouse.trainee().weights
        gone = school.leaving.withdraw("mal", "owner", "hostile") if hostile else 0
        clock[0] += 86_400
        school.night(rebuild=True)
        return school.warehouse.trainee().weights, before, gone


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--voices", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--gold", type=float, default=0.05)
    parser.add_argument("--crowd-kit", action="store_true")
    parser.add_argument("--churn", action="store_true")
    parser.add_argument("--withdraw", action="store_true")
    args = parser.parse_args()
    if args.churn:
        churn(args)
    elif args.withdraw:
        withdraw(args)
    else:
        accuracy(args)


if __name__ == "__main__":
    main()
