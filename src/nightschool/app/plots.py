"""Pictures of learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

Curve = Sequence[tuple[float, float]]
"""Points of (answers, accuracy in [0, 1])."""


def plot_curves(curves: Mapping[str, Curve], path: Path, title: str) -> None:
    """One line a curve, answers to the right, accuracy in per cent up, as a PNG.

    A name that begins with "served" is dashed, in the colour of the curve before it.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2), dpi=120)
    colour = -1
    for name, curve in curves.items():
        x, y = zip(*curve, strict=True) if curve else ((), ())
        served = name.startswith("served")
        colour += not served
        axes.plot(
            x,
            [100 * v for v in y],
            "--" if served else "-",
            color=f"C{colour}",
            marker="o",
            markersize=3,
            label=name,
        )
    axes.set_xlabel("answers")
    axes.set_ylabel("hidden exam, % right")
    axes.set_title(title, fontsize=11)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
