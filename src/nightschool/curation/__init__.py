"""Examples made from answers: agreement, normalisation, and the wall round the exam."""

from nightschool.curation.agreement import curate
from nightschool.curation.fence import Fence, FencedDataset

__all__ = ["Fence", "FencedDataset", "curate"]
