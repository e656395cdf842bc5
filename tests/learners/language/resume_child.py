"""A process that fits and saves, to be killed on the way: FOLDER WORKSPACE RESULT METHOD."""

import sys
from pathlib import Path

from tiny_models import FAST, Lessons, sounds, texts

from nightschool.learners.language import KIND

folder, workspace, result, method = sys.argv[1:]
settings = {**FAST, "method": method, "steps": 12, "checkpoint_steps": 4, "member_steps": 6}
learner = KIND.begin(folder, settings)
dataset = Lessons(sounds("farm"), sounds("pond"), texts())
learner.fit(dataset, seed=3, workspace=Path(workspace)).save(Path(result))
