"""The wall between exam and training: a context's side is fixed before anyone has seen it."""

from __future__ import annotations

import hashlib
import hmac

from nightschool.types import ConfigError, Context, Partition


def partition_of(context: Context, key: bytes, share: float) -> Partition:
    """The side of the wall a context is on: about `share` of all contexts are for exams.

    A keyed hash (HMAC-SHA256) of the normalised context decides, so the side never changes, does
    not depend on order, and cannot be guessed by whoever writes contexts without knowing the key.
    Raising the share moves contexts from training to exam only, never back. `share` is in [0, 1];
    raises ConfigError for another share or an empty key.
    """
    if not 0.0 <= share <= 1.0:
        raise ConfigError(f"The exam share is {share}; set it between 0 and 1.")
    if not key:
        raise ConfigError("The exam key is empty; make one with `secrets.token_bytes(32)`.")
    drawn = hmac.new(key, context.document.digest, hashlib.sha256).digest()
    exam = int.from_bytes(drawn[:8], "big") < share * 2**64
    return Partition.EXAM if exam else Partition.TRAINING
