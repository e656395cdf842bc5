from __future__ import annotations

import pytest

from nightschool.learners.bagofwords import KIND
from nightschool.testing import check_learner
from nightschool.types import LearnerError

from ..conftest import world


def test_conformance():
    lessons = [(c, a) for c, a, _ in world(40, 1)]
    check_learner(KIND, KIND.begin("", {}), lessons)


def test_an_unknown_setting_is_named():
    with pytest.raises(LearnerError, match="'stpes'; known: earlier"):
        KIND.begin("", {"stpes": 3})


def test_a_folder_without_a_learner_is_named(tmp_path):
    with pytest.raises(LearnerError, match="holds no bag-of-words learner"):
        KIND.load(tmp_path, {})
