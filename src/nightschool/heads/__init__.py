"""Heads: small Bayesian models on frozen embeddings, refitted in milliseconds."""

from nightschool.heads.choosing import laplace_evidence
from nightschool.heads.head import Head, predictive
from nightschool.heads.multinomial import fit, rebuild

__all__ = ["Head", "fit", "laplace_evidence", "predictive", "rebuild"]
