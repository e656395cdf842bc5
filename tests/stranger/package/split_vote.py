"""A stranger's package: a strategy in one function."""


def split_vote(observation):
    """The share of posterior samples that vote against the likeliest answer (Freeman 1965)."""
    likeliest = observation.probs.mean(axis=0).argmax(axis=-1)
    return (observation.probs.argmax(axis=-1) != likeliest).mean(axis=0)
