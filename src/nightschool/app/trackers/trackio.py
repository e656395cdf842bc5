"""Nights as runs of a trackio project that has the school's name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nightschool.app.trackers.mlflow import params, tags
from nightschool.types import NightReport


class TrackioTracker:
    """One run a night, in the folder that TRACKIO_DIR names, else in the school's own.

    Its name tells the school's id as well: others may have a folder of the same name. A Space or
    a server is used only where trackio's own variables name one. trackio settles on its folder
    when it is first imported, so one process reports the nights of one school.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def report(self, night: NightReport) -> None:
        """Add the night; raises what trackio raises."""
        os.environ.setdefault("TRACKIO_DIR", str(self._folder.resolve()))
        import trackio

        run = trackio.init(
            project=re.sub(r"[^\w-]+", "-", night.school).strip("-") or "school",
            name=f"night-{night.verdict.night}-{night.id}",
            config={**params(night), **tags(night)},
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        try:
            run.log(night.metrics(), step=night.verdict.night)
        finally:
            run.finish()  # type: ignore[no-untyped-call]
