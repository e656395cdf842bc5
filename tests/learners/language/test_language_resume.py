"""A fit that is killed goes on, and ends in the same bytes as an unbroken one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tiny_models import FAST, Lessons, sounds, texts

from nightschool.learners.language import KIND
from nightschool.learners.language.checkpoint import read, write

HERE = Path(__file__).parent


def weights(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def run(jobs: list[dict[str, str]]) -> list[int]:
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(
        [sys.executable, str(HERE / "resume_child.py"), json.dumps(jobs)],
        env=environment, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def test_killed_and_resumed(grown_of: Callable[[str], Path], tmp_path: Path) -> None:
    faults = {
        # In the main training, before and after a checkpoint is in place, in the members'.
        "full": ["fit.step:7", "fit.checkpoint:1", "fit.checkpoint:4", "fit.step:5"],
        "lora": ["fit.checkpoint:2", "fit.step:12"],
    }
    jobs, expected = [], []
    for method, points in faults.items():
        folder = str(grown_of("gpt2"))
        for fault in [None, *points, ""]:
            name = f"{method}-{'whole' if fault is None else 'broken'}"
            jobs.append(
                {
                    "folder": folder, "method": method, "fault": fault or "",
                    "workspace": str(tmp_path / f"w-{name}"), "result": str(tmp_path / name),
                }
            )  # fmt: skip
            expected.append(-signal.SIGKILL if fault else 0)
    assert run(jobs) == expected
    for method in faults:
        whole = weights(tmp_path / f"{method}-whole")
        assert len([name for name in whole if name.endswith(".safetensors")]) == 2
        assert whole == weights(tmp_path / f"{method}-broken")


def test_a_finished_fit_is_recognised(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    learner = KIND.begin(str(folder_of("llama")), {**FAST, "steps": 20})
    dataset = Lessons(sounds("farm"), (), texts())
    steps: list[int] = []
    first = learner.fit(
        dataset, seed=1, workspace=tmp_path, progress=lambda done, total: steps.append(done)
    )
    assert steps[-1] == 20 + FAST["member_steps"]
    began, steps[:] = time.perf_counter(), []
    second = learner.fit(
        dataset, seed=1, workspace=tmp_path, progress=lambda done, total: steps.append(done)
    )
    assert time.perf_counter() - began < 5
    assert steps == [], "it trained again"
    shown = dataset.new[0].context
    assert first.predict([_context(shown.body)]) == second.predict([_context(shown.body)])
    other = learner.fit(
        dataset, seed=2, workspace=tmp_path, progress=lambda done, total: steps.append(done)
    )
    assert steps, "another seed's checkpoint was taken for this one"
    assert other is not second


def _context(body: str):  # type: ignore[no-untyped-def]
    from nightschool.types import Context

    return Context.of(body)


def test_a_damaged_checkpoint_is_no_checkpoint(tmp_path: Path) -> None:
    import torch

    file = tmp_path / "a.safetensors"
    assert read(file) is None
    write(file, {"x": torch.ones(3)}, {"step": 2})
    found = read(file)
    assert found is not None
    assert found[1] == {"step": 2}
    file.write_bytes(file.read_bytes()[:-5])
    assert read(file) is None
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
