"""The owner's test file survives being kept, whatever it holds."""

from __future__ import annotations

from nightschool.app.exam_file import decode, encode
from nightschool.exams.text import file_item, item_id
from nightschool.types import Document, ExamItem


def test_texts_are_kept_as_they_always_were():
    items = [file_item("two\u2028lines", ["4", "four"], "sums")]
    assert decode(encode(items)) == items
    assert encode(items).startswith(b'{"context": "two')


def test_other_kinds_come_back_with_their_parts_and_their_source():
    context = Document('{"caption": "a dot"}', "caption")
    drawing = Document("{}", "drawing", parts={"picture": bytes(range(256)), "strokes": b"[]"})
    item = ExamItem(item_id(context), context, (drawing,), "known", "reference")
    plain = ExamItem(item_id(context), context, (Document("{}", "trajectory"),), "", "file")
    [again] = decode(encode([item]))
    assert again == item
    assert dict(again.accepted[0].parts) == dict(drawing.parts)
    assert decode(encode([plain])) == [plain]
    assert encode([item]) == encode([again])
