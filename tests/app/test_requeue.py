from __future__ import annotations

import time
import uuid
from dataclasses import replace

import numpy as np
import pytest

from nightschool import heads
from nightschool.app import School, shortlist
from nightschool.app.requeue import order, with_priors
from nightschool.app.shortlist import Shortlist
from nightschool.loop import teach
from nightschool.strategies import BALD, HYBRID, by_score, entropy
from nightschool.strategies.value import timed
from nightschool.types import Answer, Document, Observation, Partition, Reply

from ..conftest import make_school


def said(text="red", at=1.0):
    reply = Reply.ANSWER if text else Reply.CANT_TELL
    document = Document(text) if text else None
    return Answer(str(uuid.uuid4()), "q", "anna", reply, document, 2.0, at)


def listed(n=12, labels=(), asked=10):
    """Two kinds of contexts in turn, equally unsure, told apart by their embeddings."""
    rng = np.random.default_rng(0)
    kinds = np.arange(n + asked) % 2
    x = np.eye(6)[kinds] + 0.2 * rng.standard_normal((n + asked, 6))
    x = x.astype(np.float32)
    probs = np.zeros((2, n, 2), np.float32)
    probs[0], probs[1] = (0.8, 0.2), (0.3, 0.7)
    seen = Observation(
        np.arange(1, n + 1, dtype=np.uint64),
        embeddings=x[:n],
        probs=probs,
        asked=x[n:],
    )
    return Shortlist(1, "bald", 5, seen, ["red"] * n, ["red"] * asked, labels)


def front(found, kind):
    """How many of the first four are of that kind (0 or 1)."""
    return sum((name - 1) % 2 == kind for name in found[:4])


def test_where_the_model_is_right_already_falls_behind_where_it_is_wrong():
    # The model expects "red" everywhere; contexts of kind 1 are blue.
    replies = {1: said("red"), 3: said("Red"), 2: said("blue"), 4: said("blue")}
    found = order(listed(), replies, timed(BALD))
    assert front(found, 1) == 4
    assert sorted(found) == [5, 6, 7, 8, 9, 10, 11, 12]


def test_what_resembles_the_declined_falls():
    replies = {1: said("blue"), 3: said("blue"), 2: said(""), 4: said("")}
    assert front(order(listed(), replies, timed(BALD)), 0) == 4


def test_with_labels_the_head_over_them_says_what_is_unsure_now():
    # Kind 0 is red without exception, kind 1 is anything.
    plan = listed(16, labels=("Red", "blue"), asked=40)
    plan = replace(plan, said=["red", "red", "red", "blue"] * 10)
    assert front(order(plan, {1: said("red"), 2: said("red")}, by_score(entropy)), 1) == 4


def test_near_duplicates_of_what_was_just_answered_fall():
    plan = listed()
    twin = plan.seen.embeddings.copy()
    twin[5] = twin[0]
    plan = replace(plan, seen=Observation(plan.seen.ids, embeddings=twin, probs=plan.seen.probs,
                                          asked=plan.seen.asked))  # fmt: skip
    assert order(plan, {1: said("blue")}, HYBRID)[-1] == 6


def test_without_replies_nothing_moves_and_the_same_replies_give_the_same_order():
    plan = listed()
    assert order(plan, {}, HYBRID) == list(range(1, 13))
    replies = {1: said("blue"), 2: said("red")}
    assert order(plan, replies, HYBRID) == order(plan, replies, HYBRID)


def test_a_shortlist_comes_back_as_it_was_and_a_torn_one_is_left_alone(tmp_path):
    assert shortlist.read(tmp_path) is None
    plan = listed(labels=("red", "blue"))
    plan.write(tmp_path)
    back = shortlist.read(tmp_path)
    assert (back.night, back.key, back.expected, back.said) == (1, 5, ["red"] * 12, ["red"] * 10)
    assert back.labels == ["red", "blue"]
    for name in ("ids", "embeddings", "probs", "asked"):
        np.testing.assert_array_equal(getattr(back.seen, name), getattr(plan.seen, name))
    assert not back.seen.has("seconds")
    path = tmp_path / shortlist.FILE
    path.write_bytes(path.read_bytes()[:200])
    assert shortlist.read(tmp_path) is None


def test_blocks_are_gathered_in_the_order_of_the_picks_and_widened():
    whole = listed().seen
    one, two = (shortlist.rows(whole, np.array(part)) for part in ([0, 1, 2], [3, 4]))
    narrow = Observation(two.ids, embeddings=two.embeddings, probs=two.probs[..., :1],
                         asked=two.asked)  # fmt: skip
    found = shortlist.gathered([one, narrow], [5, 1, 3])
    assert found.ids.tolist() == [5, 1, 3]
    np.testing.assert_array_equal(found.embeddings, whole.embeddings[[4, 0, 2]])
    assert found.probs[0, 0].tolist() == pytest.approx([0.8, 0.0])
    assert len(found.asked) == 10


@pytest.fixture
def folder(tmp_path):
    return make_school(tmp_path / "school", questions=10, candidates=3, exam=False)


def opened(folder, oracle):
    """A school in the morning after its first day."""
    school = School.open(folder)
    teach(school, oracle, 10)
    school.night()
    return school


def places(school):
    """Contexts of the training questions and of the exam questions, with their places."""
    queue = school.warehouse.queue()
    exam = {q.context.id: q.rank for q in queue if q.partition is Partition.EXAM}
    return [q.context.id for q in queue if q.partition is Partition.TRAINING], exam


def test_an_answer_re_ranks_the_rest_of_the_day_and_not_its_length(folder, oracle):
    with opened(folder, oracle) as school:
        before, exam = places(school)
        spare = {q.context.id for q in school.warehouse.spares()}
        assert len(spare) == 2 * len(before)
        held = school.next_question("ben")
        teach(school, oracle, 5)
        after, exam_after = places(school)
        done = {a.question.context.id for a in school.warehouse.answered(Partition.TRAINING)}
        examined = {a.question.context.id for a in school.warehouse.answered(Partition.EXAM)}
        assert (done | set(after)) & spare
        assert len(after) + len(exam_after) == len(before) + len(exam) - 5
        assert exam_after == {k: v for k, v in exam.items() if k not in examined}
        assert school.next_question("ben") == held


def test_the_thread_of_a_server_comes_to_the_same_queue(tmp_path, folder, oracle):
    with opened(folder, oracle) as school:
        school.backup(tmp_path / "twin")
        (tmp_path / "twin" / shortlist.FILE).write_bytes((folder / shortlist.FILE).read_bytes())
        teach(school, oracle, 3)
        wanted = places(school)
    with School.open(tmp_path / "twin") as twin:
        start = places(twin)
        twin.requeue.begin()
        for _ in range(3):
            teach(twin, oracle, 1)
            twin.requeue.now()  # the next question is leased at once, so wait for the thread's work
        until = time.monotonic() + 5
        while places(twin) != wanted and time.monotonic() < until:
            time.sleep(0.01)
        assert start != wanted == places(twin)


def test_a_re_ranking_that_fails_costs_no_answer(folder, oracle, monkeypatch, caplog):
    with opened(folder, oracle) as school:

        def broken(*_):
            raise RuntimeError("boom")

        monkeypatch.setattr("nightschool.app.requeue.order", broken)
        assert teach(school, oracle, 2) == 2
        assert len(school.warehouse.answers()) == 12
    assert "boom" in caplog.text


@pytest.mark.parametrize("settings", [{"strategy": "random", "candidates": 3}, {"candidates": 1}])
def test_random_and_one_candidate_have_no_spares(tmp_path, settings):
    with School.open(make_school(tmp_path / "school", exam=False, **settings)) as school:
        school.night()
        assert school.warehouse.queue_left() == 20
        assert not school.warehouse.spares()
        assert not (school.folder / shortlist.FILE).exists()


def test_whoever_goes_on_gets_the_spares_in_the_order_of_their_worth(folder, oracle):
    with opened(folder, oracle) as school:
        teach(school, oracle, 10)
        assert not school.warehouse.queue_left()
        best = [q.context.id for q in school.warehouse.spares()]
        question = school.next_question("anna")
        training, _ = places(school)
        assert training == best[: len(training)]
        assert question.strategy == "hybrid" or question.partition is Partition.EXAM


def test_the_night_finds_priors_that_the_day_fits_with(monkeypatch):
    plan = replace(listed(labels=("red", "blue"), asked=40), said=["red", "blue", "", "red"] * 10)
    ready = with_priors(plan)
    assert sorted(ready.priors) == ["answerable", "labels"]
    given = []
    fit = heads.fit

    def noted(x, y, k, *, precision=None, spread=None):
        given.append((precision, spread))
        return fit(x, y, k, precision=precision, spread=spread)

    monkeypatch.setattr(heads, "fit", noted)
    order(ready, {1: said("blue")}, HYBRID)
    assert given == [ready.priors["answerable"], ready.priors["labels"]]
