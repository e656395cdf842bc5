"""An artist's feedback: a caption is asked, a drawing is the answer."""

from __future__ import annotations

import io
import json
import struct
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nightschool.types.documents import Document, is_storable, normalise
from nightschool.types.errors import AnswerError, PoolError

if TYPE_CHECKING:
    from PIL import Image

CAPTION = "caption"
DRAWING = "drawing"
PICTURE = "picture"
STROKES = "strokes"

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 4 << 20
MOST_PIXELS = 4096 * 4096
LONGEST_CAPTION = 300

Picture = NDArray[np.uint8]
"""Rows of pixels, (h, w) grey or (h, w, 3) colour: dark ink on white (255) paper."""


def caption_document(caption: str, sheet: int = 1) -> Document:
    """The sheet-th sheet of paper under that caption: a caption may be drawn many times."""
    text = " ".join(caption.split())
    if not text or len(text) > LONGEST_CAPTION or not is_storable(text):
        raise PoolError(
            f"{caption[:60]!r} is no caption: it needs 1 to {LONGEST_CAPTION} characters, "
            "none of them NUL or half a character."
        )
    body = json.dumps({"caption": text, "sheet": sheet}, sort_keys=True, ensure_ascii=False)
    return Document(body, CAPTION)


def caption_of(document: Document) -> str:
    """The caption of a context or of a drawing; PoolError where there is none."""
    try:
        caption = json.loads(document.body)["caption"]
    except (ValueError, KeyError, TypeError) as error:
        raise PoolError(f"{document.body[:60]!r} has no caption ({error}).") from error
    if not isinstance(caption, str):
        raise PoolError(f"{document.body[:60]!r} has a caption that is no text.")
    return caption


def drawing_document(caption: str, picture: bytes, strokes: bytes = b"") -> Document:
    """A drawing as a document: its picture, and its strokes where it was drawn on the page.

    Raises AnswerError for a picture that cannot be taken; `strokes` is JSON, kept as it came.
    """
    width, height = check_picture(picture)
    body = {"caption": caption, "height": height, "width": width}
    parts = {PICTURE: picture, **({STROKES: strokes} if strokes else {})}
    return Document(json.dumps(body, sort_keys=True, ensure_ascii=False), DRAWING, parts=parts)


def check_drawing(document: Document, caption: Document) -> None:
    """Raise AnswerError for a drawing that cannot be the answer to that caption."""
    if document.kind != DRAWING:
        raise AnswerError(f"A caption is answered by a drawing, not by a {document.kind}.")
    if PICTURE not in document.parts:
        raise AnswerError('The drawing has no picture; send one under "picture".')
    check_picture(document.parts[PICTURE])
    if normalise(caption_of(document)) != normalise(caption_of(caption)):
        raise AnswerError(
            f"The drawing is of {caption_of(document)!r}; {caption_of(caption)!r} was asked."
        )


def check_picture(data: bytes) -> tuple[int, int]:
    """Width and height of a picture that can be taken; AnswerError that says why otherwise.

    Size is read from the header before a pixel is unpacked, so a decompression bomb is refused
    for what it claims; then it is unpacked whole, so a broken file is refused as well.
    """
    return _open(data).size


def decode_picture(data: bytes, size: int | None = None, *, colour: bool = False) -> Picture:
    """A checked picture as pixels, transparent parts as white paper.

    With a `size` it is fitted to (size, size) by area, whole, on white where it is not square.
    """
    from PIL import Image

    image = _open(data).convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    mode = "RGB" if colour else "L"
    flat = paper.convert(mode)
    if size is not None and flat.size != (size, size):
        side = max(flat.size)
        square = Image.new(mode, (side, side), "white")
        square.paste(flat, ((side - flat.width) // 2, (side - flat.height) // 2))
        shrinks = side > size
        flat = square.resize(
            (size, size), Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC
        )
    return np.asarray(flat, dtype=np.uint8)


def encode_picture(pixels: Picture) -> bytes:
    """Pixels as PNG; equal pixels have equal bytes."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def _open(data: bytes) -> Image.Image:
    from PIL import Image

    if len(data) > MOST_BYTES:
        raise AnswerError(
            f"The picture has {len(data):,} bytes, {MOST_BYTES:,} are kept; make it smaller."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise AnswerError(
                    f"The picture has {image.width} x {image.height} pixels, at most "
                    f"{MOST_PIXELS:,} are taken; make it smaller."
                )
            image.load()
    except AnswerError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise AnswerError(
            f"The picture cannot be read ({error or type(error).__name__}); send a whole "
            f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]} file."
        ) from error
    except Image.DecompressionBombError as error:
        raise AnswerError(f"The picture is too large ({error}); make it smaller.") from error
    return image
