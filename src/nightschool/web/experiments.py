"""Experiments to look at: what a version expected of a trial, and what happened."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import AfterValidator

from nightschool.types import (
    EXPERIMENT,
    TRAJECTORY,
    Answer,
    AnswerError,
    Experiment,
    NightschoolError,
    Question,
    Spec,
    Trajectory,
    UnknownQuestion,
)
from nightschool.types.people import Right
from nightschool.types.trajectory import Reals
from nightschool.web.desk import Desk, storable
from nightschool.web.door import needs

NEWEST = 20
REMEMBERED = 200
PATIENCE = 5.0
"""How long a question waits for its turn at the model, in seconds."""

Id = Annotated[str, AfterValidator(storable)]


def routes(school: Desk) -> APIRouter:
    """The newest trials, one of them whole, and what is expected of a question."""
    api = APIRouter(prefix="/api")
    expectations = Expectations(school, PATIENCE)

    @api.get("/experiments", dependencies=[needs(Right.READ)])
    def newest() -> dict[str, Any]:
        answers = school.newest_answers(NEWEST)
        pairs = [(answer, school.question(answer.question_id)) for answer in answers]
        return {"experiments": [row(a, q) for a, q in pairs if is_experiment(q)]}

    @api.get("/experiments/{answer_id}", dependencies=[needs(Right.READ)])
    def trial(answer_id: Id) -> JSONResponse:
        answer = school.answer_with_id(answer_id)
        document = answer.document if answer is not None else None
        if answer is None or document is None or document.kind != TRAJECTORY:
            return JSONResponse({"error": f"No trial has the id {answer_id!r}."}, 404)
        question = school.question(answer.question_id)
        return JSONResponse(view(school, expectations.of(question), Trajectory.of(document)))

    @api.get("/expected/{question_id}", dependencies=[needs(Right.ANSWER)])
    def expected(question_id: Id) -> dict[str, Any]:
        question = school.question(question_id)
        if not is_experiment(question):
            raise UnknownQuestion(f"The question {question_id!r} is no experiment.")
        return view(school, expectations.of(question), None)

    return api


def is_experiment(question: Question) -> bool:
    """Whether a trial can answer it."""
    return question.context.document.kind == EXPERIMENT


class Busy(NightschoolError):
    """The model works for somebody else; the same request may succeed a little later."""


class Expectations:
    """What the versions that asked expected; each question's is computed once, one at a time.

    Whoever waits longer than `patience` seconds for the model is told that it is busy.
    """

    def __init__(self, school: Desk, patience: float = PATIENCE) -> None:
        self._school = school
        self._patience = patience
        self._model = threading.Lock()
        self._table = threading.Lock()
        self._known: OrderedDict[str, Trajectory | None] = OrderedDict()

    def of(self, question: Question) -> Trajectory | None:
        """The expected trajectory; None where that version cannot tell any more. Slow at first.

        Raises Busy while the model computes others.
        """
        with self._table:
            if question.id in self._known:
                return self._recent(question.id)
        if not self._model.acquire(timeout=self._patience):
            raise Busy("The model is busy with other questions; ask again in a moment.")
        try:
            return self._learn(question)
        finally:
            self._model.release()

    def _learn(self, question: Question) -> Trajectory | None:
        if question.id not in self._known:  # it may have come while this one waited
            found = self._ask(question)
            with self._table:
                self._known[question.id] = found
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        with self._table:
            return self._recent(question.id)

    def _recent(self, question_id: str) -> Trajectory | None:
        self._known.move_to_end(question_id)
        return self._known[question_id]

    def _ask(self, question: Question) -> Trajectory | None:
        document = self._school.expected(question)
        try:
            return Trajectory.of(document) if document is not None else None
        except AnswerError:  # a young model may expect infinite speeds, which nothing can show
            return None


def row(answer: Answer, question: Question) -> dict[str, Any]:
    """A trial in the list: when it was, how far it came, and why it ended where it did."""
    document = answer.document
    done = Trajectory.of(document) if document and document.kind == TRAJECTORY else None
    return {
        "id": answer.id,
        "at": answer.at,
        "reply": answer.reply.value,
        "note": answer.note,
        "version": question.version,
        "steps": len(done.actions) if done is not None else 0,
        "asked": len(Experiment.of(question.context.document).actions),
        "ended": done.ended if done is not None else "",
        "whole": done is not None and not done.ended,
        "shown": done is not None,
    }


def view(school: Desk, expected: Trajectory | None, happened: Trajectory | None) -> dict[str, Any]:
    """A trial as the page draws it; states are (k + 1, s), in the order of `names`."""
    known = happened or expected
    spec = spec_of(school)
    angles = spec.angles if spec is not None else ()
    error = None
    if expected is not None and happened is not None:
        error = share_of_movement(expected.states, happened.states, angles)
    return {
        "system": known.system if known is not None else "",
        "names": names(spec, known),
        "angles": list(angles),
        "seconds": spec.seconds if spec is not None else None,
        "states": happened.states.tolist() if happened is not None else None,
        "expected": expected.states.tolist() if expected is not None else None,
        "actions": known.actions.tolist() if known is not None else None,
        "ended": happened.ended if happened is not None else "",
        "error": error,
    }


def spec_of(school: Desk) -> Spec | None:
    """What the school's system is; None without one, and where it cannot be reached now."""
    try:
        return school.system.spec if school.system is not None else None
    except NightschoolError:  # what was recorded is shown all the same
        return None


def names(spec: Spec | None, known: Trajectory | None) -> list[str]:
    """The names of the coordinates; numbers where the system has not told them."""
    if spec is not None:
        return list(spec.states)
    return [f"state {i}" for i in range(known.states.shape[1])] if known is not None else []


def share_of_movement(expected: Reals, happened: Reals, angles: Sequence[int]) -> float | None:
    """How wrong an expectation was: 0 not at all, 1 as if no movement had been expected.

    Of each coordinate that moved, the root mean square error over that of its movement since the
    start, errors of angles wrapped; the median of those. Shapes (t, s); a trial that stopped
    early is compared as far as it went. None when nothing moved.
    """
    steps = min(len(expected), len(happened))
    off = expected[:steps] - happened[:steps]
    turned = list(angles)
    off[:, turned] = np.remainder(off[:, turned] + np.pi, 2 * np.pi) - np.pi
    moved = np.sqrt(np.square(happened[:steps] - happened[0]).mean(axis=0))
    wrong = np.sqrt(np.square(off).mean(axis=0))
    moves = moved > 0
    return float(np.median(wrong[moves] / moved[moves])) if moves.any() else None
