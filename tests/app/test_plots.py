from __future__ import annotations

import pytest
from matplotlib import image, pyplot

from nightschool.app.plots import plot_curves


def test_curves_become_a_picture(tmp_path, monkeypatch):
    kept = []
    close = pyplot.close
    monkeypatch.setattr(pyplot, "close", kept.append)
    curves = {
        "trainee, chosen": [(0, 0.1), (30, 0.5)],
        "served, chosen": [(0, 0.1), (30, 0.4)],
        "trainee, random": [(0, 0.1)],
        "served, nothing yet": [],
    }
    plot_curves(curves, tmp_path / "curve.png", "30 answers a day")
    (figure,) = kept
    (axes,) = figure.axes
    lines = axes.get_lines()
    close(figure)
    assert [line.get_label() for line in lines] == list(curves)
    assert list(lines[0].get_ydata()) == pytest.approx([10, 50])
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-", "--"]
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color()
    assert axes.get_title() == "30 answers a day"
    pixels = image.imread(tmp_path / "curve.png", format="png")
    assert pixels.shape[:2] == (504, 840)
    assert pixels.min() < pixels.max()


def test_no_picture_is_left_open(tmp_path):
    before = pyplot.get_fignums()
    plot_curves({"trainee": [(0, 0.5)]}, tmp_path / "curve.png", "")
    assert pyplot.get_fignums() == before
