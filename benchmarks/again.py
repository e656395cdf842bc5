"""What asking again finds, on made-up answers: `python benchmarks/again.py`.

People err at a known rate on 1,000 contexts, and a calibrated model gives each context's answers
their probabilities. A tenth of the contexts is asked again: those from which the next answer
tells most (`asking_again`), or any. Shown is the share of the wrong answers that is among them,
and how well the error rate is measured from the second answers, which were chosen where there
was doubt.
"""

from __future__ import annotations

import argparse

import numpy as np

from nightschool.strategies.value import asking_again, error_rate, truth


def world(
    error: float, sure: float, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truths and answers (n,) out of k = 3 and the model's probabilities (n, 3).

    The truth is drawn from what the model says, so the model is calibrated; a larger `sure`
    makes it surer.
    """
    logits = sure * rng.standard_normal((n, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return truth, given(truth, error, rng), p


def given(truth: np.ndarray, error: float, rng: np.random.Generator) -> np.ndarray:
    """One answer to each context (n,): another one of the three at the error rate."""
    other = (truth + rng.integers(1, 3, len(truth))) % 3
    return np.where(rng.random(len(truth)) < error, other, truth)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    args = parser.parse_args()
    print(
        "| people err | model's accuracy | wrong answers found, by doubt | at random | measured |"
    )
    print("|---|---|---|---|---|")
    for error in (0.02, 0.05, 0.1, 0.2):
        for sure in (1.0, 3.0, 6.0):
            found = []
            for seed in range(args.seeds):
                rng = np.random.default_rng(seed)
                actual, said, p = world(error, sure, 1000, rng)
                own = p[np.arange(1000), said][:, None]
                posterior = truth(own, np.ones((1000, 1)), np.zeros(1000), error)
                gains = asking_again(posterior, error)
                asked = np.argsort(-gains)[:100]
                wrong = said != actual
                again = given(actual[asked], error, rng)
                measured = error_rate(again == said[asked], own[asked, 0])
                right = float((p.argmax(axis=1) == actual).mean())
                found.append((right, wrong[asked].sum() / max(wrong.sum(), 1), measured))
            right, share, measured = np.mean(found, axis=0)
            print(f"| {error:.0%} | {right:.0%} | {share:.0%} | 10% | {measured:.0%} |")


if __name__ == "__main__":
    main()
