from __future__ import annotations

import io

from rich.console import Console

from nightschool.cli.bars import run_bars


def shown(terminal):
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=120, color_system=None)
    with run_bars({"random-1": 3, "random-2": 3}, console) as watch:
        watch("random-1", 3, 3)
        watch("random-2", 2, 3)
        watch("random-2", 1, 3)  # begun anew
    return file.getvalue()


def test_one_bar_counts_all_mornings_and_one_the_run_that_goes_on():
    last = shown(True)
    assert "4/6" in last
    assert "random-2" in last
    assert "1/3" in last
    assert "random-1" not in last


def test_without_a_terminal_there_is_silence():
    assert "all mornings" not in shown(False)
