"""A stranger's strategy is found by its entry point, passes the suite, and asks questions."""

from __future__ import annotations

from nightschool.app import School, parts
from nightschool.app.config import change_config, read_config
from nightschool.loop import teach
from nightschool.testing import check_strategy

from ..conftest import make_school
from .lab import PACKAGE


def test_it_is_found_and_conforms():
    assert "split_vote" in parts.names("strategies")
    check_strategy(parts.strategy("split_vote"))


def test_it_chooses_the_questions_of_a_school(tmp_path, oracle):
    with School.open(make_school(tmp_path / "s", strategy="split_vote")) as school:
        school.night()
        asked = {q.strategy for q in school.warehouse.queue()}
        assert asked == {"split_vote", "random"}
        assert teach(school, oracle, 20) == 20


def test_it_can_be_set_in_a_school_that_there_is(school_folder):
    change_config(school_folder, "strategy", "split_vote")
    assert read_config(school_folder).strategy == "split_vote"


def test_it_took_one_function():
    source = (PACKAGE / "split_vote.py").read_text()
    assert source.count("def ") == 1
    assert "import" not in source
