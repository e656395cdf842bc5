"""One night of a language model: lessons, training, then the posterior for tomorrow's questions."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from nightschool.learners.language import adapter, members
from nightschool.learners.language.body import Body, batches
from nightschool.learners.language.checkpoint import digest
from nightschool.learners.language.lessons import Lessons, bodies, prepare
from nightschool.learners.language.marking import Habits
from nightschool.learners.language.training import Course, autocast, clip_together, train
from nightschool.types import Dataset, Example, Progress

if TYPE_CHECKING:
    from nightschool.learners.language.learner import LanguageLearner

_log = logging.getLogger("nightschool")

_TOKENS_AT_ONCE = 8192
_OWN_TEXTS = 48
"""How many texts the model writes for replay where no original dataset was given."""


def teach(
    learner: LanguageLearner,
    dataset: Dataset,
    seed: int,
    workspace: Path,
    progress: Progress | None,
) -> LanguageLearner:
    """A new learner taught the dataset's answers; the given one is left as it is."""
    settings = learner.settings
    earlier = dataset.earlier(settings.earlier, seed)
    examples = [*dataset.new, *earlier]
    if not examples:
        return replace(learner)
    workspace.mkdir(parents=True, exist_ok=True)
    _warn_of_long(learner, examples)
    pairs = [(e.context.body, e.target.body) for e in examples]
    habits = Habits.of(learner.text, pairs, settings.max_answer_tokens)
    lessons = prepare(
        learner.text,
        dataset.new,
        earlier,
        _texts(learner, dataset, seed),
        settings,
        window=learner.window,
        seed=seed,
        end=learner.text.end if habits.ends else None,
    )
    if not lessons.new and not lessons.earlier:
        return replace(learner)
    identity = _identity(learner, dataset, earlier, seed)
    body, wrapped = pupil(learner, seed)
    more = settings.member_steps if settings.members else 0
    told = _Told(progress, lessons.steps + more)
    _train(body, learner, lessons, workspace / "fit.safetensors", identity, told)
    told = replace(told, before=lessons.steps)
    file = workspace / "members.safetensors"
    posterior = _posterior(body, learner, lessons, file, identity, told)
    return replace(
        learner,
        body=body,
        wrapped=wrapped,
        posterior=posterior,
        stored=replace(learner.stored, habits=habits),
    )


@dataclass(frozen=True)
class _Told:
    """Progress through both trainings, told as one."""

    progress: Progress | None
    total: int
    before: int = 0

    def __call__(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(self.before + done, self.total)


def _texts(learner: LanguageLearner, dataset: Dataset, seed: int) -> list[str]:
    """Original texts; the model's own only where the manifest has no original segment at all.

    What a fence holds back is not replaced: texts written now would not have passed it.
    """
    settings = learner.settings
    found = bodies(dataset.original(settings.original, seed)) if settings.original else []
    given = any(segment.role == "original" for segment in dataset.manifest.segments)
    if not found and not given and settings.replay_rows:
        found = bodies(learner.sample(_OWN_TEXTS, seed=seed))
    return found


def pupil(learner: LanguageLearner, seed: int) -> tuple[Body, Any | None]:
    """A body that may be changed: a copy of the model, or of its adapter on the same base."""
    body = learner.body
    if learner.stored.method == "full":
        return body.around(copy.deepcopy(body.model)), None
    if learner.wrapped is not None:
        wrapped = adapter.copy_sharing(learner.wrapped, body.model)
    else:
        model = adapter.copy_sharing(body.model, body.model)
        layers = list(body.sizes)
        wrapped = adapter.new_adapter(model, layers, learner.settings.rank, seed)
    return body.around(wrapped.base_model.model), wrapped


def _train(
    body: Body,
    learner: LanguageLearner,
    lessons: Lessons,
    file: Path,
    identity: str,
    progress: Progress,
) -> None:
    settings = learner.settings
    parameters = learning(body, learner.stored.method)
    at_once = settings.rows_at_once(body.parameters)

    def backward(step: int) -> float:
        rows = lessons.step(step)
        loss = 0.0
        for batch in batches([len(row.ids) for row in rows], _TOKENS_AT_ONCE):
            for at in range(0, len(batch), at_once):
                with autocast(settings, body.device):
                    part = members.row_loss(body, [rows[i] for i in batch[at : at + at_once]])
                part.backward()  # type: ignore[no-untyped-call]
                loss += float(part.detach())
        return loss

    course = Course(
        lessons.steps, settings.rate(body.parameters), file, identity, settings.checkpoint_steps
    )
    for parameter in parameters.values():
        parameter.requires_grad_(True)
    train(parameters, backward, course, clip_together(parameters), progress)
    for parameter in parameters.values():
        parameter.requires_grad_(False)
        parameter.grad = None


def learning(body: Body, method: str) -> dict[str, nn.Parameter]:
    """The weights that learn, by name."""
    return adapter.trained(body.model) if method == "lora" else dict(body.model.named_parameters())


def _posterior(
    body: Body,
    learner: LanguageLearner,
    lessons: Lessons,
    file: Path,
    identity: str,
    progress: Progress,
) -> dict[str, Tensor] | None:
    """The members' factors; None where the settings want dropout only."""
    settings = learner.settings
    if settings.members == 0:
        return None
    answers = [*lessons.new, *lessons.earlier]
    resampled = members.bootstraps(answers, lessons.rehearsal, settings, lessons.seed)
    return members.train_members(body, resampled, settings, file, identity, progress)


def _identity(
    learner: LanguageLearner, dataset: Dataset, earlier: Sequence[Example], seed: int
) -> str:
    """Names the night: the weights it begins from, what it learns, with which settings and seed."""
    weights = learning(learner.body, learner.stored.method)
    lesson = [e.id for e in (*dataset.new, *earlier)]
    facts = (seed, dataset.manifest.hash, lesson, sorted(asdict(learner.settings).items()))
    return digest(dict(weights), learner.stored.source, *facts)


def _warn_of_long(learner: LanguageLearner, examples: Sequence[Example]) -> None:
    contexts = learner.text.contexts([e.context.body for e in examples])
    room = learner.window - learner.room
    if long := sum(len(ids) > room for ids in contexts):
        _log.warning(
            "%d of %d contexts are longer than %d tokens; their beginning is not read.",
            long, len(examples), room,
        )  # fmt: skip
