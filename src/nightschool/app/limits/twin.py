"""The measuring twin: taught on the randomly drawn exam answers, which cost nobody a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from nightschool.app.limits.cache import Cache
from nightschool.app.limits.lessons import fenced, scores, taught
from nightschool.app.school import School
from nightschool.limits import Lead, folds, lead
from nightschool.types import ConfigError, ExamItem, Example, Progress

FOLDS = 4
FEWEST = 8
"""Answered exam questions below which a twin would tell nothing."""


def measure_twin(school: School, progress: Progress | None = None) -> Lead:
    """Chosen answers against as many random ones, each taught to version 0 in one go.

    The exam's questions were drawn at random, so that their answers are a random learner's
    lesson: a twin learns from all folds but one and is examined on that one, and so for every
    fold. The other model learns from the first chosen answers, as many, and sits the same items,
    which it never saw. Neither serves nor reaches the lineage; only the lead is kept. Costs one
    fit for each fold and one more; raises ConfigError while there is too little of either.
    """
    bank = sorted((i for i in school.examiner.bank() if i.source == "bank"), key=lambda i: i.id)
    dataset = fenced(school)
    chosen = list(dataset.new)
    if len(bank) < FEWEST or not chosen:
        raise ConfigError(
            f"The twin needs {FEWEST} answered exam questions and a night that learned; there are "
            f"{len(bank)} and {len(chosen)} examples. Answer more questions and run a night."
        )
    n = min(len(bank) - -(-len(bank) // FOLDS), len(chosen))
    start = school.warehouse.version("v0")
    facts = (start.weights, school.config.learner_settings, dataset.manifest.hash, bank, n)
    cache = Cache(school.folder)
    kept = cache.find("twin", facts)
    if kept is not None:
        return Lead(**kept)
    learner, seed = school.learner(start), school.warehouse.trainee().seed
    random: dict[str, float] = {}
    parts = folds([int(item.id, 16) for item in bank], FOLDS, seed)
    for done, part in enumerate(parts):
        lesson = [as_example(i) for i in _others(bank, parts, part)][:n]
        twin = taught(learner, lesson, dataset, seed)
        random |= scores(school, twin, [bank[i] for i in part])
        if progress is not None:
            progress(done + 1, FOLDS + 1)
    ours = scores(school, taught(learner, chosen[:n], dataset, seed), bank)
    if progress is not None:
        progress(FOLDS + 1, FOLDS + 1)
    both = [item.id for item in bank if item.id in ours and item.id in random]
    found = lead([ours[i] for i in both], [random[i] for i in both], n)
    cache.keep("twin", facts, asdict(found))
    return found


def _others(
    bank: Sequence[ExamItem], parts: Sequence[Sequence[int]], left_out: Sequence[int]
) -> list[ExamItem]:
    return [bank[i] for part in parts if part is not left_out for i in part]


def as_example(item: ExamItem) -> Example:
    """An answered exam question as a lesson for a twin."""
    return Example(f"twin-{item.id}", item.context, item.accepted[0], 1.0, (), 0, item.group)
