from __future__ import annotations

import pytest

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.app.tasks import WordsTask
from nightschool.types import ConfigError, LearnerError


def key(folder, **settings):
    init_school(folder, settings={"learner": "bagofwords", **settings})
    with School.open(folder) as school:
        return school.warehouse.meta("partition_key")


def test_only_a_seed_makes_the_exam_partition_guessable(tmp_path):
    assert key(tmp_path / "a") != key(tmp_path / "b")
    assert key(tmp_path / "c", seed=0) != key(tmp_path / "d", seed=0)
    assert key(tmp_path / "e", seed=3) == key(tmp_path / "f", seed=3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"strategy": "nope"}, "No part of kind strategies is called 'nope'; installed: badge"),
        ({"exam": "oral"}, "No part of kind exams is called 'oral'; installed: control"),
        ({"learner": "parrot"}, "No part of kind learners is called 'parrot'"),
    ],
)
def test_a_part_that_is_not_installed_is_refused_at_once(tmp_path, settings, words):
    with pytest.raises(ConfigError, match=words):
        init_school(tmp_path / "s", settings={"learner": "bagofwords", **settings})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("learner", ["bagofwords", "language"])
def test_an_unknown_learner_setting_is_refused_before_a_model_is_opened(tmp_path, learner):
    with pytest.raises(LearnerError, match="'stepz'"):
        init_school(
            tmp_path / "s",
            WordsTask(str(tmp_path / "nowhere")),
            settings={"learner": learner, "learner_settings": {"stepz": 3}},
        )
