"""Judges of drawings: two classifiers of different kinds that say what a drawing shows.

One is a support vector machine on the directions of strokes, the other a small convolutional
network. They learn from real drawings only, and what fools one of them rarely fools the other.
The figures beside them tell a good model from one that copies or always draws the same.

Pictures are (n, side, side) uint8, dark ink on white paper; labels are (n,) integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nightschool.types import ConfigError, ExamError
from nightschool.types.drawing import Picture

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Labels = NDArray[np.int64]
Reals = NDArray[np.float64]

SHIFT, TURN, SCALE = 2.0 / 14, 0.12, 0.08
"""How far lessons are moved at most (in halves of a side), turned (radians) and resized."""

COPIES = 4
"""Each lesson of the support vector machine: as it is, and moved a little three times."""

DIRECTIONS, CELL, SMOOTH = 4, 4, 0.5
PENALTY, SHARPNESS = 10.0, 2.0

EPOCHS, BATCH, RATE, SOFTNESS = 14, 64, 1e-2, 0.1


@dataclass(frozen=True, eq=False)
class Judges:
    """Two judges of drawings, trained by `train_judges`."""

    svm: Any
    cnn: nn.Module
    labels: Labels

    def say(self, pictures: Picture) -> Labels:
        """What each judge takes the drawings for, (2, n): the support vector machine's first."""
        if not len(pictures):
            return np.zeros((2, 0), np.int64)
        import torch

        with one_thread(), torch.no_grad():
            scores = self.cnn(_ink_tensor(pictures))
        seen = self.labels[scores.argmax(dim=1).numpy()]
        return np.stack([self.svm.predict(_directions(pictures)), seen]).astype(np.int64)


def train_judges(pictures: Picture, labels: Labels, seed: int) -> Judges:
    """Judges trained on real drawings; the same arguments give the same judges on one machine.

    Raises ExamError where all drawings have one label, ConfigError where scikit-learn is missing.
    """
    classes, index = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ExamError(
            f"The judges have drawings of {len(classes)} caption(s); to tell captions apart they "
            "need at least 2."
        )
    return Judges(
        _svm(pictures, labels, seed), _cnn(pictures, index, seed), classes.astype(np.int64)
    )


def taught(samples: Picture, labels: Labels, real: Picture, seed: int) -> Labels:
    """What a classifier that saw a model's drawings only takes real ones for, (n,).

    Its rightness is the classification accuracy score (Ravuri & Vinyals 2019, "Classification
    Accuracy Score for Conditional Generative Models"): low when samples are wrong, blurred or all
    the same, though each may look well.
    """
    if len(np.unique(labels)) < 2:
        raise ExamError("To teach a classifier, samples of at least 2 captions are needed.")
    said: Labels = _svm(samples, labels, seed).predict(_directions(real)).astype(np.int64)
    return said


def diversity(
    samples: Picture, labels: Labels, references: Picture, reference_labels: Labels
) -> dict[int, float]:
    """For each label, how much samples differ among one another, as a share of what real ones do.

    The ratio of mean distances over all pairs, clipped to [0, 1]: 0 when every sample is the
    same. Labels with fewer than two samples or references are left out.
    """
    found = {}
    for label in np.unique(labels):
        ours = _spread(samples[labels == label])
        theirs = _spread(references[reference_labels == label])
        if np.isfinite(ours) and theirs > 0:
            found[int(label)] = float(np.clip(ours / theirs, 0.0, 1.0))
    return found


def nearest_ratio(
    samples: Picture, real: Picture, labels: Labels, references: Picture, reference_labels: Labels
) -> Reals:
    """How far each sample is from the nearest reference of its label, relative to a real drawing.

    Row i compares sample i with real drawing i, both of label i: (n,) clipped to [0, 1], near 0
    for a copy of a reference; nan for a label without references.
    """
    ratios = np.full(len(labels), np.nan)
    for label in np.unique(labels):
        rows, known = labels == label, references[reference_labels == label]
        if len(known):
            ours = _distances(samples[rows], known).min(axis=1)
            theirs = _distances(real[rows], known).min(axis=1)
            ratios[rows] = np.clip(ours / np.maximum(theirs, 1e-9), 0.0, 1.0)
    return ratios


@contextmanager
def one_thread() -> Iterator[None]:
    """Work with one thread, then with as many as before: sums depend on their number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _spread(pictures: Picture) -> float:
    """Mean distance over the pairs of different rows; nan for fewer than two."""
    n = len(pictures)
    return float(_distances(pictures, pictures).sum() / (n * (n - 1))) if n > 1 else float("nan")


def _distances(one: Picture, other: Picture) -> Reals:
    """Euclidean distances of ink, (n, m)."""
    from scipy.spatial.distance import cdist

    far: Reals = cdist(_ink(one).reshape(len(one), -1), _ink(other).reshape(len(other), -1))
    return far


def _ink(pictures: Picture) -> Reals:
    return 1.0 - pictures / 255.0


def _directions(pictures: Picture) -> Reals:
    """How much ink changes in each direction in each cell of the paper, (n, features).

    Histograms of oriented gradients (Dalal & Triggs 2005), with smooth cells: small shifts then
    cost little. Square roots keep one dark stroke from outweighing all others.
    """
    from scipy.ndimage import gaussian_filter

    ink = gaussian_filter(_ink(pictures), (0.0, SMOOTH, SMOOTH))
    down, right = np.gradient(ink, axis=(1, 2))
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    change = right[..., None] * np.cos(angles) + down[..., None] * np.sin(angles)
    cells = gaussian_filter(np.maximum(change, 0.0), (0.0, CELL / 2, CELL / 2, 0.0))
    inside = slice(CELL // 2, None, CELL)
    found: Reals = np.sqrt(cells[:, inside, inside]).reshape(len(pictures), -1)
    return found


def _svm(pictures: Picture, labels: Labels, seed: int) -> Any:
    """A support vector machine with a Gaussian kernel, taught with drawings and moved copies."""
    try:
        from sklearn.svm import SVC
    except ImportError as error:
        raise ConfigError(
            "A judge of drawings is a support vector machine of scikit-learn, which is not "
            'installed: pip install "nightschool[drawing]".'
        ) from error
    seen = _directions(np.concatenate([pictures, *_copies(pictures, seed)]))
    width = SHARPNESS / max(seen.shape[1] * seen.var(), 1e-9)
    return SVC(C=PENALTY, gamma=width).fit(seen, np.tile(labels, COPIES))


def _copies(pictures: Picture, seed: int) -> Iterator[Picture]:
    import torch

    generator, ink = torch.Generator().manual_seed(seed), _ink_tensor(pictures)
    for _ in range(COPIES - 1):
        with one_thread():
            moved = _moved(ink, generator)[:, 0].numpy()
        yield np.round(255.0 * (1.0 - moved)).astype(np.uint8)


def _cnn(pictures: Picture, index: Labels, seed: int) -> nn.Module:
    """A small convolutional network, taught with drawings that are moved a little each time."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    ink, wanted = _ink_tensor(pictures), torch.from_numpy(index.astype(np.int64))
    with one_thread():
        network = _network(int(index.max()) + 1, ink.shape[-1], seed)
        optimiser = torch.optim.AdamW(network.parameters(), RATE, fused=True)
        batches = -(-len(ink) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, EPOCHS * batches)
        for _ in range(EPOCHS):
            order = torch.randperm(len(ink), generator=generator)
            for rows in order.tensor_split(batches):
                scores = network(_moved(ink[rows], generator))
                loss = torch.nn.functional.cross_entropy(
                    scores, wanted[rows], label_smoothing=SOFTNESS
                )
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
    return network.eval()


def _network(classes: int, side: int, seed: int) -> nn.Module:
    import torch
    from torch import nn

    last = 32 * (-(-side // 4)) ** 2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(last, classes),
        )


def _ink_tensor(pictures: Picture) -> Tensor:
    import torch

    return torch.from_numpy(_ink(pictures).astype(np.float32))[:, None]


def _moved(ink: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture shifted, turned and resized a little."""
    import torch
    from torch import nn

    draws = 2 * torch.rand(4, len(ink), generator=generator) - 1
    angle, scale = TURN * draws[0], 1 + SCALE * draws[1]
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    rows = (cos, -sin, SHIFT * draws[2], sin, cos, SHIFT * draws[3])
    maps = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = nn.functional.affine_grid(maps, list(ink.shape), align_corners=False)
    return nn.functional.grid_sample(ink, grid, align_corners=False)
