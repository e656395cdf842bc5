"""Examples made from answers: agreement, normalisation, and the wall round the exam."""

from nightschool.curation.agreement import (
    Agreement,
    Curator,
    ballots_of,
    curate,
    settling,
    voices_of,
    weight_of,
)
from nightschool.curation.crowd import Ballot, Beta, Consensus, Voice, one_coin
from nightschool.curation.fence import Fence, FencedDataset

__all__ = [
    "Agreement",
    "Ballot",
    "Beta",
    "Consensus",
    "Curator",
    "Fence",
    "FencedDataset",
    "Voice",
    "ballots_of",
    "curate",
    "one_coin",
    "settling",
    "voices_of",
    "weight_of",
]
