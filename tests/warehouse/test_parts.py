"""Large parts of documents are files by hash, kept before a record names them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nightschool.types import (
    AnswerError,
    Context,
    Document,
    Example,
    Partition,
    Pick,
    WarehouseError,
)
from nightschool.warehouse import Warehouse
from tests.warehouse.helpers import RECIPE, Toy, answer, side

INK = Document("{}", "drawing", parts={"picture": b"ink", "strokes": b"[]"})


def drawn(name: str, question: str, document: Document) -> object:
    return dataclasses.replace(answer(name, question), document=document)


def test_an_answers_parts_are_kept_and_come_back(warehouse: Warehouse) -> None:
    first = warehouse.queue()[0]
    assert warehouse.keep(drawn("a", first.id, INK))
    assert not warehouse.keep(drawn("a", first.id, INK))
    [kept] = warehouse.answers()
    assert kept.document == INK
    assert dict(kept.document.parts) == {"picture": b"ink", "strokes": b"[]"}
    assert warehouse.last_answer("anna").document.parts["picture"] == b"ink"
    [answered] = warehouse.answered(Partition.TRAINING)
    assert answered.answers[0].document.parts["strokes"] == b"[]"
    assert warehouse.verify() == []
    # What was read may be kept again: its parts are there.
    second = warehouse.queue()[0]
    assert warehouse.keep(drawn("b", second.id, kept.document))


def test_a_part_that_was_never_sent_is_refused_and_nothing_is_kept(warehouse: Warehouse) -> None:
    first = warehouse.queue()[0]
    named = Document("{}", "drawing", {"picture": "ab" * 32})
    with pytest.raises(AnswerError, match="never sent"):
        warehouse.keep(drawn("a", first.id, named))
    with pytest.raises(AnswerError, match="never sent"):
        warehouse.keep(drawn("a", first.id, Document("{}", "drawing", {"picture": "../x"})))
    wrong = Document("{}", "drawing", {"picture": "ab" * 32}, parts={"picture": b"ink"})
    with pytest.raises(AnswerError, match="sha256"):
        warehouse.keep(drawn("a", first.id, wrong))
    assert warehouse.answers() == []


def test_contexts_and_picks_have_parts(warehouse: Warehouse) -> None:
    photo = Context(Document("look", "photo", parts={"picture": b"light"}))
    warehouse.add_contexts([photo], side)
    found = {c.id: c for c in warehouse.contexts(Partition.TRAINING)}[photo.id]
    assert found.document.parts["picture"] == b"light"
    other = Context(Document("see", "photo", parts={"picture": b"dark"}))
    with warehouse.begin_night() as night:
        night.post([Pick(other, Partition.TRAINING, "random", 0.0)], warehouse.champion())
    [question] = warehouse.queue()
    assert question.context.document.parts["picture"] == b"dark"
    assert warehouse.question(question.id).context.document.parts["picture"] == b"dark"


def test_a_dataset_has_parts_and_verify_misses_them(folder: Path) -> None:
    with Warehouse.create(folder) as warehouse:
        manifest = warehouse.seal_original([INK, Document("text")], "drawings")
        base = warehouse.add_base(Toy("base"), RECIPE, manifest, 0)  # type: ignore[arg-type]
        [original] = [d for d in warehouse.dataset(manifest).original(2, 1) if d.blobs]
        assert original.parts["picture"] == b"ink"
        warehouse.add_contexts([Context.of("a cat")], side)
        warehouse.post([Pick(Context.of("a cat"), Partition.TRAINING, "random", 0.0)], base)
        cat = Document("{}", "drawing", parts={"picture": b"cat"})
        warehouse.keep(drawn("a", warehouse.queue()[0].id, cat))
        with warehouse.begin_night() as night:
            example = Example("e", Document("a cat"), cat, 1.0, ("a",), 1)
            sealed = night.seal([example])
            [new] = night.dataset(sealed).new
            assert new.target.parts["picture"] == b"cat"
        (folder / "blobs" / INK.blobs["picture"]).unlink()
        [problem] = warehouse.verify()
        assert INK.blobs["picture"] in problem
        with pytest.raises(WarehouseError, match="no blob"):
            original.parts["picture"]
