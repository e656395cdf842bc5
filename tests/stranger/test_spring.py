"""A stranger's system and oracle come in by our own door, conform, and teach a school."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightschool.app import School, parts
from nightschool.app.init import init_school
from nightschool.app.tasks import ControlTask
from nightschool.exams.control import ControlExam
from nightschool.loop import teach
from nightschool.testing import check_exam, check_learner, check_oracle, check_system
from nightschool.types import Example, Partition


def test_the_system_and_the_oracle_are_found_and_conform(spring_school):
    check_system(parts.system("spring"))
    with School.open(spring_school) as school:
        school.night()
        check_oracle(parts.oracle("spring_by_hand"), school.warehouse.queue())
        check_oracle(school.oracle, school.warehouse.queue())


def test_each_part_of_a_control_school_conforms(spring_school):
    with School.open(spring_school) as school:
        school.night()
        teach(school, school.oracle, 4)
        answered = school.warehouse.answered(Partition.TRAINING)
        examples = [
            Example(f"e{i}", a.question.context.document, a.answers[0].document, 1.0, ("a",), 1)
            for i, a in enumerate(answered)
        ]
        untaught = parts.learner_kind("dynamics").begin("", school.config.learner_settings)
        check_learner(parts.learner_kind("dynamics"), untaught, examples)
        exam = [
            replace(a, question=replace(a.question, partition=Partition.EXAM)) for a in answered
        ]
        learner = school.learner(school.warehouse.trainee())
        check_exam(ControlExam(parts.system("spring")), learner, school.examiner.bank(), exam)


def test_somebody_at_a_bench_teaches_a_school(spring_school):
    with School.open(spring_school) as school:
        bench = parts.oracle("spring_by_hand")
        before = school.night().before
        for _ in range(2):
            assert teach(school, bench, 4) == 4
            verdict = school.night()
        assert {a.person for a in school.warehouse.answers()} == {"bench"}
        assert verdict.after > before + 0.1, verdict.reason
        assert school.warehouse.verify() == []


def test_a_system_that_is_not_installed_is_named(tmp_path):
    with pytest.raises(Exception, match=r"'trampoline'; installed: .*spring"):
        init_school(tmp_path / "s", ControlTask("trampoline"))
    with pytest.raises(Exception, match="no setting 'nose'"):
        init_school(tmp_path / "s", ControlTask("spring", {"nose": 1}))
    assert list(tmp_path.iterdir()) == []
