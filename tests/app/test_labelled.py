from __future__ import annotations

import json

import pytest

from nightschool.app import School
from nightschool.app.plans import AdjustedPlan, LabelledPlan
from nightschool.app.plans.labelled import HiddenLabels, labels_of, read_labelled
from nightschool.app.simulation import run
from nightschool.app.tasks import WordsTask
from nightschool.oracles import ScriptedOracle
from nightschool.types import ConfigError, Context, ExamError, Partition

from ..conftest import COLOURS, world


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "colours.jsonl"
    path.write_text("\n".join(json.dumps({"context": c, "answer": a}) for c, a, _ in world(120, 0)))
    return path


def plan_of(data, seed=1, **options):
    settings = {"learner": "bagofwords"}
    return LabelledPlan(data, WordsTask(), "random", seed, settings=settings, **options)


def test_every_seed_hides_other_rows_and_all_strategies_the_same(data, tmp_path):
    items = read_labelled(data)
    pool, hidden = plan_of(data).split(items)
    assert len(hidden) == 36
    assert {i.id for i in pool} | {i.id for i in hidden} == {i.id for i in items}
    assert len(pool) + len(hidden) == len(items)
    again = plan_of(data).split(items[::-1])[1]
    assert {i.id for i in again} == {i.id for i in hidden}
    assert {i.id for i in plan_of(data, 2).split(items)[1]} != {i.id for i in hidden}
    assert len(plan_of(data, most=10).split(items)[1]) == 10


def test_few_answers_are_groups_and_free_text_is_none(data, tmp_path):
    items = read_labelled(data)
    assert {i.group for i in items} == set(COLOURS.values())
    assert labels_of(items) == tuple(sorted(COLOURS.values()))
    free = tmp_path / "free.jsonl"
    free.write_text(
        "\n".join(json.dumps({"context": f"c{i}", "answer": f"a{i}"}) for i in range(30))
    )
    assert {i.group for i in read_labelled(free)} == {""}


def test_what_is_wrong_with_the_data_is_said(data, tmp_path):
    with pytest.raises(ConfigError, match="no such file; --data"):
        read_labelled(tmp_path / "none.jsonl")
    rows = data.read_text().split("\n")
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join([*rows[:24], '{"context": "x"}']))
    with pytest.raises(ExamError, match="line 25: the answer is None"):
        read_labelled(broken)
    broken.write_text("\n".join(rows[:19]))
    with pytest.raises(ConfigError, match="has 19 different contexts"):
        read_labelled(broken)


def test_it_learns_from_the_data_and_is_measured_on_rows_that_it_was_never_asked(data, tmp_path):
    plan = plan_of(data, nights=2, answers=20)
    mornings = list(run(tmp_path / "school", plan))
    assert [m.answers for m in mornings] == [0, 20, 40]
    first, last = mornings[0].trainee, mornings[-1].trainee
    assert last["all"] > 0.5 > first["all"]
    assert last["probability"] > first["probability"]
    assert last["macro"] == pytest.approx(sum(last[c] for c in COLOURS.values()) / len(COLOURS))
    hidden = {Context(i.context).id for i in plan.split(read_labelled(data))[1]}
    with School.open(tmp_path / "school") as school:
        known = {c.id for side in Partition for c in school.warehouse.contexts(side)}
        asked = {
            a.question.context.id for side in Partition for a in school.warehouse.answered(side)
        }
    assert len(asked) == 40
    assert not (known | asked) & hidden


def test_any_plan_takes_other_settings_and_another_oracle(data, tmp_path):
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps({"context": "x", "answer": "y"}))
    settings = {"exam_share": 0.5, "oracle_settings": {"path": str(script)}}
    plan = AdjustedPlan(plan_of(data, nights=3, answers=4), settings, "script")
    assert (plan.nights, plan.answers) == (3, 4)
    assert isinstance(plan.build(tmp_path / "school"), HiddenLabels)
    with School.open(tmp_path / "school") as school:
        assert school.config.exam_share == 0.5
        assert isinstance(plan.oracle(school), ScriptedOracle)
        assert set(plan.oracle(school).answers) == {Context.of("x").id}
    with pytest.raises(ConfigError, match="seed cannot be set"):
        AdjustedPlan(plan_of(data), {"seed": 3}).build(tmp_path / "other")
