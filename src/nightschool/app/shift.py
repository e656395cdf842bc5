"""A school by night: the steps of the loop, with this school's parts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from nightschool.app import guesses, parts, writing
from nightschool.app.chooser import Chooser
from nightschool.curation import FencedDataset
from nightschool.exams import gate
from nightschool.types import (
    Case,
    Context,
    Curate,
    ExamItem,
    Example,
    ExamResult,
    Gate,
    Learner,
    Manifest,
    Mark,
    Night,
    Partition,
    Pick,
    Version,
)
from nightschool.warehouse.gold import GUESSES

if TYPE_CHECKING:
    from nightschool.app.school import School

ASKED = 2000
"""Contexts asked before, the newest, of which a strategy keeps its distance."""


class NightShift:
    """What a school does in a night; it fulfils the loop's `School`.

    `rebuild` says that a night which is begun (not resumed) learns everything anew.
    """

    def __init__(self, school: School, rebuild: bool = False) -> None:
        self._school = school
        self._warehouse = school.warehouse
        self._config = school.config
        self._rebuild = rebuild

    @property
    def curate(self) -> Curate:
        """How answers become examples."""
        return self._school.crowd.curator()

    @cached_property
    def gate(self) -> Gate:
        """The rule of promotion."""
        made = gate.balanced() if self._config.gate == "balanced" else gate.strict()
        return replace(made, rule=replace(made.rule, every=self._config.gate_days))

    def begin_night(self) -> Night:
        """Begin a night, or resume a broken one."""
        return self._warehouse.begin_night(rebuild=self._rebuild, clock=self._school.now)

    def fit(self, night: Night, manifest: Manifest) -> Version:
        """The trainee, taught on what is new; the trainee itself when nothing is."""
        parent = night.trainee()
        dataset = FencedDataset(night.dataset(manifest), self._school.examiner.fence(night))
        if not dataset.new and self._rebuilds(parent):  # all was withdrawn: forget it
            return night.store(self._school.learner(parent), parent, manifest)
        if not dataset.new:
            return parent
        self._need_space(parent)
        learner = self._school.learner(parent).fit(
            dataset,
            seed=night.seed,
            workspace=night.workspace,
            progress=lambda done, total: self._tell("fit", done, total),
        )
        version = night.store(learner, parent, manifest)
        self._school.models.remember(version, learner)
        return version

    def _rebuilds(self, parent: Version) -> bool:
        """Whether tonight goes on from another version than the newest: a rebuild does."""
        return parent.id != self._warehouse.trainee().id

    def _need_space(self, parent: Version) -> None:
        """Refuse to begin what a full disk would break: checkpoints, and the new weights."""
        size = sum(f.stat().st_size for f in self._warehouse.weights_path(parent).rglob("*"))
        writes = getattr(self._school.learner(parent), "night_bytes", 6 * size)
        self._warehouse.need_space(int(writes) + (64 << 20))

    def examine(self, night: Night, challenger: Version) -> Case:
        """Champion, challenger and the champion before sit the same bank, items in one order."""
        items = self._school.examiner.bank(night)
        champion, previous = night.champion(), night.previous()
        sat: dict[str, ExamResult] = {}
        for version in (champion, challenger, previous):
            if version is not None and version.id not in sat:
                sat[version.id] = self._school.examiner.sit(version, items)
                self._tell("examine", len(sat), 3)
        return Case(
            night.day,
            sat[champion.id],
            sat[challenger.id],
            sat[previous.id] if previous is not None else None,
            night.looks(),
            self._lessons(night, challenger),
        )

    def _lessons(self, night: Night, challenger: Version) -> Sequence[ExamResult]:
        """How tonight's new contexts were found and what they taught; never gates.

        A context that was asked again was learned before, so it says nothing about either.
        """
        trainee = night.trainee()
        new: Sequence[Example] = ()
        if challenger.id != trainee.id and not self._rebuilds(trainee):
            before = self._warehouse.trained(self._warehouse.manifest(trainee.manifest))
            tonight = night.dataset(self._warehouse.manifest(challenger.manifest)).new
            new = [e for e in tonight if Context(e.context).id not in before]
            if not self._config.oracle:  # somebody will want to know
                answered = partial(night.answers, Partition.TRAINING)
                both = self._school.learner(trainee), self._school.learner(challenger)
                self._school.yesterday.note(night.number, new, answered, *both)
        return self._fresh(trainee, new), *self._taught(night, challenger, new)

    def _fresh(self, trainee: Version, new: Sequence[Example]) -> ExamResult:
        """Tonight's answers as the trainee found them before it learned them."""
        items = [_as_item(e) for e in new]
        values = self._school.learner(trainee).mark(items) if items else ()
        marks = tuple(
            Mark("fresh", float(v), False, item.id, item.group)
            for v, item in zip(values, items, strict=True)
        )
        return ExamResult(trainee.id, "fresh", marks)

    def _taught(
        self, night: Night, challenger: Version, new: Sequence[Example]
    ) -> list[ExamResult]:
        """What tonight's answers taught, by who wrote the questions."""
        if not self._config.written or not new:
            return []
        contexts = (a.question.context for a in night.answers(Partition.TRAINING))
        found = writing.taught(
            challenger.id,
            self._school.learner(night.trainee()),
            self._school.learner(challenger),
            new,
            {context.id: context.source for context in contexts},
        )
        return [found] if found is not None else []

    def choose(self, night: Night) -> Sequence[Pick]:
        """Tomorrow's questions, chosen by the newest version."""
        learner = self._school.learner(night.trainee())
        pool = night.pool(Partition.TRAINING, self._config.pool_sample, night.seed)
        asked = night.asked(ASKED)
        pool = [*pool, *self._written(learner, pool, asked, night)]
        strategy = parts.strategy(self._config.strategy)
        find, active = self._warehouse.question, self._warehouse.active
        chooser = Chooser(
            self._school.folder,
            self._config,
            self._school.kind,
            self._school.budget,
            strategy,
            find,
            active,
        )
        bank = len(self._school.examiner.marked(night))
        picks = chooser.choose(night, learner, pool, asked, bank, self._school.now())
        if not self._config.show_guess:
            return picks
        gold = guesses.of_gold((item.context for item in self._school.gold.items()), learner)
        self._warehouse.set_meta(GUESSES, gold)
        return guesses.with_guesses(picks, learner, night.seed + 5)

    def _written(
        self,
        learner: Learner,
        pool: Sequence[Context],
        asked: Sequence[Context],
        night: Night,
    ) -> Sequence[Context]:
        """Contexts that the model wrote itself; what would belong to the exam is left out."""
        # Where everything was tried, it writes from what it tried.
        source = writing.material(night, pool) or asked
        if not self._config.written or not source:
            return ()
        refused = writing.declined(night.answers(Partition.TRAINING))
        mine = self._warehouse.written(night.number)
        written = writing.written_by(
            learner, self._config.written, source, asked, refused, night.seed,
            partial(self._may_ask, mine=mine),
        )  # fmt: skip
        writing.note(self._warehouse, night.number, len(written))
        return written

    def _may_ask(self, context: Context, mine: Collection[int] = ()) -> bool:
        """Whether a written context is new and on the training side; a test file's is known.

        `mine` are those that this very night wrote before it broke.
        """
        new = context.id in mine or not self._warehouse.is_known(context.id)
        return new and self._school.side(context) is Partition.TRAINING

    def _tell(self, step: str, done: int, total: int) -> None:
        if self._school.report is not None:
            self._school.report(step, done, total)


def _as_item(example: Example) -> ExamItem:
    return ExamItem(example.id, example.context, (example.target,), example.group, "fresh")
