from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.exams import partition_of
from nightschool.types import ConfigError, Context, Partition

KEY = b"k" * 32


def test_the_side_is_fixed_for_ever() -> None:
    # written down once: a release that moves contexts between exam and training must not pass
    sides = "".join(partition_of(Context.of(f"{i} + 1 ="), KEY, 0.25)[0] for i in range(24))
    assert sides == "ttttetttetteeteeettttete"


@given(st.text(max_size=40))
def test_the_same_text_in_other_clothes_is_on_the_same_side(text: str) -> None:
    here = partition_of(Context.of(text, "pool", "a"), KEY, 0.5)
    assert partition_of(Context.of(f"  {text}\n", "log", "b"), KEY, 0.5) is here


def test_share_is_right_and_another_key_draws_anew() -> None:
    contexts = [Context.of(f"Context number {i}") for i in range(4000)]
    first = [partition_of(c, KEY, 0.25) for c in contexts]
    other = [partition_of(c, b"another", 0.25) for c in contexts]
    assert 0.22 < first.count(Partition.EXAM) / 4000 < 0.28
    both = sum(a is b is Partition.EXAM for a, b in zip(first, other, strict=True))
    assert 0.045 < both / 4000 < 0.08  # about .25 x .25: independent


def test_raising_the_share_only_moves_contexts_to_the_exam() -> None:
    for i in range(500):
        context = Context.of(f"Context number {i}")
        if partition_of(context, KEY, 0.1) is Partition.EXAM:
            assert partition_of(context, KEY, 0.25) is Partition.EXAM


def test_all_or_nothing() -> None:
    context = Context.of("x")
    assert partition_of(context, KEY, 0.0) is Partition.TRAINING
    assert partition_of(context, KEY, 1.0) is Partition.EXAM


@pytest.mark.parametrize(("key", "share"), [(KEY, 1.5), (KEY, -0.1), (b"", 0.5)])
def test_bad_settings_name_the_cure(key: bytes, share: float) -> None:
    with pytest.raises(ConfigError, match=r"set it between|make one"):
        partition_of(Context.of("x"), key, share)
