"""Fits and saves, jobs to be killed in forked children: a JSON list of jobs comes as argument.

One process imports torch for all of them, for that takes longer than the fits.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
from tiny_models import FAST, Lessons, sounds, texts

from nightschool.learners.language import KIND


def fit(job: dict[str, str]) -> None:
    if job["fault"]:
        os.environ["NIGHTSCHOOL_FAULT"] = job["fault"]
    steps = {"steps": 12, "checkpoint_steps": 4, "member_steps": 6}
    learner = KIND.begin(job["folder"], {**FAST, "method": job["method"], **steps})
    dataset = Lessons(sounds("farm"), sounds("pond"), texts())
    taught = learner.fit(dataset, seed=3, workspace=Path(job["workspace"]))
    taught.save(Path(job["result"]))


def run(job: dict[str, str]) -> int:
    if not job["fault"]:
        fit(job)
        return 0
    child = os.fork()
    if child == 0:
        fit(job)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


torch.set_num_threads(1)  # so that a forked child finds no helpers missing
print(json.dumps([run(job) for job in json.loads(sys.argv[1])]))
