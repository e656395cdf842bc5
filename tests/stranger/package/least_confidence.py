"""A stranger's package: a strategy in one function."""


def least_confidence(observation):
    """One less the probability of the most probable answer (Lewis and Gale 1994)."""
    return 1.0 - observation.probs.mean(axis=0).max(axis=-1)
