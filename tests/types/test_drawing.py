from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from nightschool.types import (
    PICTURE,
    AnswerError,
    Context,
    Document,
    PoolError,
    caption_document,
    caption_of,
    check_drawing,
    check_picture,
    decode_picture,
    drawing_document,
    encode_picture,
)
from nightschool.types import drawing as module

GREY = (np.arange(28 * 28) % 256).astype(np.uint8).reshape(28, 28)


def saved(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def header_only(width, height):
    """A PNG that claims a size and has next to no data: a decompression bomb's beginning."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", body) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_pixels_come_back_exactly():
    assert np.array_equal(decode_picture(encode_picture(GREY)), GREY)
    assert encode_picture(GREY) == encode_picture(GREY.copy())


def test_a_sheet_is_a_context_of_its_own_and_a_caption_may_have_many():
    first, second = (Context(caption_document("a  big\nseven", n)) for n in (1, 2))
    assert first.id != second.id
    assert caption_of(first.document) == caption_of(second.document) == "a big seven"


@pytest.mark.parametrize("caption", ["", " ", "x" * 301, "a\0b"])
def test_what_is_no_caption_is_refused(caption):
    with pytest.raises(PoolError, match="no caption"):
        caption_document(caption)


def test_a_drawing_has_its_picture_and_strokes_as_parts():
    drawing = drawing_document("a seven", encode_picture(GREY), b"[1]")
    assert set(drawing.blobs) == {"picture", "strokes"}
    assert drawing.parts["strokes"] == b"[1]"
    check_drawing(drawing, caption_document("A seven"))
    with pytest.raises(AnswerError, match="'a seven'; 'an eight'"):
        check_drawing(drawing, caption_document("an eight"))
    with pytest.raises(AnswerError, match="not by a text"):
        check_drawing(Document("a seven"), caption_document("a seven"))
    with pytest.raises(AnswerError, match="no picture"):
        check_drawing(Document(drawing.body, "drawing"), caption_document("a seven"))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_pictures_of_each_format_are_taken(form):
    image = Image.new("RGB", (40, 20), "white")
    assert check_picture(saved(image, form)) == (40, 20)
    assert decode_picture(saved(image, form)).min() > 250


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"not a picture", encode_picture(GREY)[:60], b"\x89PNG\r\n\x1a\n"]
)
def test_broken_files_and_other_formats_are_refused(data):
    with pytest.raises(AnswerError, match="cannot be read"):
        check_picture(data)
    gif = saved(Image.new("L", (4, 4)), "GIF")
    with pytest.raises(AnswerError, match="PNG, JPEG or WEBP"):
        check_picture(gif)


@pytest.mark.parametrize("size", [(30_000, 30_000), (4_097, 4_096), (2_000_000, 20)])
def test_a_bomb_is_refused_before_it_is_unpacked(size):
    with pytest.raises(AnswerError, match=r"pixels|too large"):
        check_picture(header_only(*size))


def test_too_many_bytes_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    with pytest.raises(AnswerError, match="10 are kept"):
        check_picture(encode_picture(GREY))


def test_transparent_is_paper_and_a_size_keeps_the_whole_picture():
    clear = Image.new("RGBA", (60, 30), (0, 0, 0, 0))
    clear.putpixel((0, 0), (0, 0, 0, 255))
    pixels = decode_picture(saved(clear, "PNG"), 30)
    assert pixels.shape == (30, 30)
    assert pixels[0].min() == 255  # the paper above a wide picture
    assert pixels[:, 0].min() < 255  # its ink, averaged over the area
    assert decode_picture(saved(clear, "PNG"), colour=True).shape == (30, 60, 3)


def test_a_document_without_a_caption_says_so():
    with pytest.raises(PoolError, match="no caption"):
        caption_of(Document("{}", "caption"))
    with pytest.raises(PoolError, match="no text"):
        caption_of(Document('{"caption": 3}', "caption"))
    assert PICTURE == "picture"
