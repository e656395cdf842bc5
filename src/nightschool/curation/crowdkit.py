"""Other ways to weigh answers, by the package crowd-kit (an extra, imported when it is used).

Each makes labels of what was said, context by context: an alternative that nobody gave has no
probability. What is known (gold, settled by an owner) is kept as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from nightschool.curation.crowd import Ballot, Consensus, from_posterior
from nightschool.types import ConfigError


def dawid_skene(ballots: Sequence[Ballot]) -> Consensus:
    """Dawid-Skene with a whole matrix of mistakes for each person: for closed labels."""
    return _weigh("DawidSkene", ballots, n_iter=100)


def one_coin_dawid_skene(ballots: Sequence[Ballot]) -> Consensus:
    """Crowd-kit's own one-coin model, to compare ours with: no prior, no gold."""
    return _weigh("OneCoinDawidSkene", ballots, n_iter=100)


def glad(ballots: Sequence[Ballot]) -> Consensus:
    """GLAD: people have an ability and contexts a difficulty."""
    return _weigh("GLAD", ballots, n_iter=100)


def _weigh(name: str, ballots: Sequence[Ballot], **settings: Any) -> Consensus:
    try:
        pandas, aggregation = import_module("pandas"), import_module("crowdkit.aggregation")
    except ImportError as error:
        raise ConfigError(
            f"Weighing answers by {name} needs crowd-kit ({error}): `pip install crowd-kit`, or "
            "`nightschool config agreement one_coin`."
        ) from error
    ordered = sorted(ballots, key=lambda b: b.name)
    rows = [(b.name, v.person, v.said) for b in ordered for v in b.voices]
    if not rows:
        return from_posterior(ballots, {})
    frame = pandas.DataFrame(rows, columns=["task", "worker", "label"])
    found = getattr(aggregation, name)(**settings).fit_predict_proba(frame)
    columns = [str(column) for column in found.columns]
    posterior = {
        int(task): {said: float(p) for said, p in zip(columns, row, strict=True) if p > 0}
        for task, row in zip(found.index, found.to_numpy(), strict=True)
    }
    return from_posterior(ballots, posterior)
