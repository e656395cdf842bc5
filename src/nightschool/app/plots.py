"""Pictures: learning curves, grids of drawings, trajectories."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nightschool.types import Picture, Reals

Curve = Sequence[tuple[float, float]]
"""Points of (answers, accuracy in [0, 1])."""

Row = tuple[str, Sequence[Picture]]
"""A row of a grid: its name, and a picture for each column."""


def plot_curves(curves: Mapping[str, Curve], path: Path, title: str) -> None:
    """One line a curve, answers to the right, accuracy in per cent up, as a PNG.

    A name that begins with "served" is dashed, in the colour of the curve before it.
    """
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(7, 4.2), dpi=120)
    _curves(axes, {name: [(x, 100 * y) for x, y in c] for name, c in curves.items()})
    axes.set_xlabel("answers")
    axes.set_ylabel("hidden exam, % right")
    axes.set_title(title, fontsize=11)
    _save(figure, path)


Band = tuple[Reals, Reals, Reals, Reals]
"""A curve with its interval: answers, mean, low and high, each (mornings,)."""


def plot_bands(
    bands: Mapping[str, Band], path: Path, title: str, ylabel: str, target: float | None = None
) -> None:
    """A curve with a shaded interval for each name, and a line at the target, as a PNG.

    Values are drawn as they come; bounds that are infinite are not drawn.
    """
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(7, 4.2), dpi=120)
    for number, (name, (answers, mean, low, high)) in enumerate(bands.items()):
        colour = f"C{number % 10}"
        style = "-" if number < 10 else "--"
        axes.plot(answers, mean, style, color=colour, marker="o", markersize=3, label=name)
        known = np.isfinite(low) & np.isfinite(high)
        axes.fill_between(answers, low, high, where=known, color=colour, alpha=0.15, linewidth=0)
    if target is not None:
        axes.axhline(target, color="0.4", linewidth=0.8, linestyle=":")
    axes.set_xlabel("answers")
    axes.set_ylabel(ylabel)
    axes.set_title(title, fontsize=11)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8)
    _save(figure, path)


def plot_grid(columns: Sequence[str], rows: Sequence[Row], path: Path, title: str) -> None:
    """Pictures in rows under captions, as a PNG."""
    pyplot = _pyplot()
    figure, grid = pyplot.subplots(
        len(rows),
        len(columns),
        figsize=(1.0 * len(columns) + 1.2, 1.0 * len(rows) + 0.9),
        dpi=120,
        squeeze=False,
    )
    for line, (name, pictures) in zip(grid, rows, strict=True):
        for axes, picture in zip(line, pictures, strict=True):
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axes.set_xticks([])
            axes.set_yticks([])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    for axes, caption in zip(grid[0], columns, strict=True):
        axes.set_title(textwrap.fill(caption, 14), fontsize=6)
    figure.suptitle(title, fontsize=11)
    _save(figure, path)


def plot_trials(
    errors: Mapping[str, Curve],
    trials: Sequence[tuple[str, Reals, Reals]],
    names: Sequence[str],
    path: Path,
    title: str,
) -> None:
    """Errors by experiments, and for some trials what was expected and what happened.

    `trials` are (name, expected states (t, s), measured states (t, s)); `names` are those of the
    two coordinates that are drawn against each other.
    """
    pyplot = _pyplot()
    figure, panels = pyplot.subplots(1, 1 + len(trials), figsize=(3.2 * (1 + len(trials)), 3.2))
    _curves(panels[0], errors)
    panels[0].set_yscale("log")
    panels[0].set_xlabel("experiments")
    panels[0].set_ylabel("one-step error, hidden trajectories")
    for axes, (name, expected, happened) in zip(panels[1:], trials, strict=True):
        axes.plot(expected[:, 0], expected[:, 1], "--", color="C1", label="expected")
        axes.plot(happened[:, 0], happened[:, 1], "-", color="C0", label="happened")
        axes.plot(*happened[0, :2], "o", color="C0", markersize=4)
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
        axes.set_title(name, fontsize=9)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=7)
    figure.suptitle(title, fontsize=11)
    _save(figure, path)


def _curves(axes: Any, curves: Mapping[str, Curve]) -> None:
    colour = -1
    for name, curve in curves.items():
        points = np.array(curve, dtype=float).reshape(-1, 2)
        served = name.startswith("served")
        colour += not served
        axes.plot(
            points[:, 0],
            points[:, 1],
            "--" if served else "-",
            color=f"C{colour}",
            marker="o",
            markersize=3,
            label=name,
        )
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path)
    _pyplot().close(figure)
