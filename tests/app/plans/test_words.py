from __future__ import annotations

from nightschool.app import School
from nightschool.app.plans import WordsPlan
from nightschool.types import Partition

SMALL = {"pool": 18, "exam_file": 6, "hidden": 6}


def groups(school):
    """The skills in a school's pool and in its bank."""
    pool = [c.group for side in Partition for c in school.warehouse.sample(side, 100, 0)]
    return set(pool), {item.group for item in school.examiner.bank()}


def test_a_plan_for_one_skill_holds_nothing_else(tmp_path):
    plan = WordsPlan("random", 1, only=("carry",), **SMALL)
    measure = plan.build(tmp_path / "school")
    with School.open(tmp_path / "school") as school:
        assert groups(school) == ({"carry"}, {"carry"})
    assert {item.group for item in measure.items} == {"carry"}


def test_a_plan_has_every_kind_of_context_and_settings_on_top_of_its_own(tmp_path):
    settings = {"exam_partition": 0.0, "learner_settings": {"members": 0}, "questions": 7}
    plan = WordsPlan("margin", 1, answers=5, settings=settings, **SMALL)
    measure = plan.build(tmp_path / "school")
    with School.open(tmp_path / "school") as school:
        pool, bank = groups(school)
        assert not school.warehouse.sample(Partition.EXAM, 100, 0)
        assert school.config.questions == 7
        assert school.config.strategy == "margin"
        assert school.config.learner_settings["members"] == 0
    assert "open" in pool
    assert pool & {"half", "double", "share", "compare"}
    assert "open" not in bank
    texts = {item.context.body for item in measure.items}
    assert len(texts) == 6
