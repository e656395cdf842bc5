"""Random samples of the pool, and the owner's test file in the warehouse."""

from __future__ import annotations

import numpy as np
import pytest

from nightschool.types import Answer, Context, Partition, Pick, Recipe, Reply
from nightschool.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path):
    with Warehouse.create(tmp_path / "s", seed=1) as made:
        made.add_contexts((Context.of(f"thing {i} is") for i in range(300)), side)
        yield made


def side(context: Context) -> Partition:
    return Partition.EXAM if context.id % 3 == 0 else Partition.TRAINING


def test_a_sample_has_the_partition_and_the_size_and_no_doubles(warehouse):
    for key in range(20):
        drawn = warehouse.sample(Partition.TRAINING, 50, key)
        assert len({c.id for c in drawn}) == 50
        assert all(side(c) is Partition.TRAINING for c in drawn)
    everything = warehouse.sample(Partition.EXAM, 1000, 3)
    assert len({c.id for c in everything}) == sum(
        side(Context.of(f"thing {i} is")) is Partition.EXAM for i in range(300)
    )


def test_a_sample_is_a_function_of_its_key_and_every_context_can_be_drawn(warehouse):
    assert warehouse.sample(Partition.TRAINING, 9, 1) == warehouse.sample(Partition.TRAINING, 9, 1)
    counts: dict[int, int] = {}
    for key in range(400):
        for context in warehouse.sample(Partition.TRAINING, 20, key):
            counts[context.id] = counts.get(context.id, 0) + 1
    assert len(counts) > 190
    # About 40 each; the windows are uneven, but no corner of the pool is left out.
    assert np.median(list(counts.values())) == pytest.approx(40, abs=12)


def test_a_reserved_context_changes_sides_and_leaves_the_queue(warehouse):

    context = warehouse.sample(Partition.TRAINING, 1, 1)[0]
    manifest = warehouse.seal_original([], "none")
    folder = warehouse.folder / "model"
    folder.mkdir()
    (folder / "a").write_text("x")
    base = warehouse.add_base(folder, Recipe("bagofwords"), manifest, 0)
    warehouse.post([Pick(context, Partition.TRAINING, "random", 0.0)], base)
    assert warehouse.queue_left() == 1
    warehouse.reserve([context.id])
    assert warehouse.queue_left() == 0
    assert context.id not in {c.id for c in warehouse.contexts(Partition.TRAINING)}
    assert context.id in {c.id for c in warehouse.contexts(Partition.EXAM)}
    assert context.id not in {c.id for c in warehouse.sample(Partition.EXAM, 999, 2)}


def test_the_contexts_of_a_test_file_are_never_drawn(warehouse):
    warehouse.add_contexts([Context.of("from a file", "exam")], lambda _: Partition.EXAM)
    assert "from a file" not in {c.text for c in warehouse.sample(Partition.EXAM, 999, 1)}


def test_questions_are_added_behind_the_queue_and_never_twice(warehouse):
    first, second, third = warehouse.sample(Partition.TRAINING, 3, 1)
    folder = warehouse.folder / "model"
    folder.mkdir()
    (folder / "a").write_text("x")
    base = warehouse.add_base(folder, Recipe("bagofwords"), warehouse.seal_original([], ""), 0)

    def picks(*contexts):
        return [Pick(c, Partition.TRAINING, "random", 0.0) for c in contexts]

    assert warehouse.append(picks(first), base) == 1
    question = warehouse.lease("anna", 60, now=1.0)
    warehouse.keep(Answer("a1", question.id, "anna", Reply.SKIP, None, 1.0, 1.0))
    assert warehouse.append(picks(first, second), base) == 1, "an answered context came back"
    assert warehouse.append(picks(second, third), base) == 1, "a waiting one was queued again"
    assert [q.context for q in warehouse.queue()] == [second, third]


def test_what_the_model_wrote_is_never_drawn_later(warehouse):
    warehouse.add_contexts([Context.of("my own", "written")], lambda _: Partition.TRAINING)
    assert "my own" not in {c.text for c in warehouse.sample(Partition.TRAINING, 999, 1)}
