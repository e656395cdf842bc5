"""Drawing: an image generator asks for drawings of captions, an artist draws them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nightschool.app.pool import read_contexts
from nightschool.app.tasks.task import NO_SHARE
from nightschool.types import (
    CAPTION,
    AnswerError,
    Context,
    Document,
    ExamItem,
    Learner,
    PoolError,
    Progress,
    caption_document,
    drawing_document,
    encode_picture,
)

if TYPE_CHECKING:
    from nightschool.starter.artist import Split

STARTER = "starter"
ORIGINALS = 60
"""Drawings of each known caption in the starter's original dataset."""

REFERENCES = 24
"""Drawings of each caption from which the exam's judges learn."""

HELD_OUT = 3
"""Held-out drawings of each caption, which are marked."""

SHEETS = 8
EXAM_SHEET, REFERENCE_SHEET = 100_001, 200_001
"""Numbers of the exam's first sheets: far from any that is asked."""


@dataclass(frozen=True)
class DrawingTask:
    """The artist's starter, or a diffusers text-to-image folder.

    `captions` is a file of captions (text, JSON lines, CSV or Parquet), each of which may be
    drawn `sheets` times; without one the starter has its own. `drawings` is a JSON-lines file of
    the model's original dataset: "caption" and "picture", a path beside the file. Not `examined`,
    the starter's school begins without an exam of its own.
    """

    captions: Path | None = None
    model: str = STARTER
    drawings: Path | None = None
    sheets: int = SHEETS
    examined: bool = True
    kind: str = CAPTION
    untaught: bool = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """The starter draws by flow matching; a folder is taught by LoRA."""
        own = self.model == STARTER
        brings = own and self.captions is None
        return {
            "learner": "drawing" if own else "diffusion",
            "strategy": "captions",
            "exam": "drawing",
            "gate_days": 0,
            "questions": 20,
            "sheets": self.sheets,
            # The starter brings an exam of its captions; of others people's drawings become it.
            **(NO_SHARE if brings else {}),
        }

    def source(self) -> str:
        """Where the model lies."""
        if self.model != STARTER:
            return self.model
        from nightschool.starter.artist import weights_folder

        return str(weights_folder())

    def original(self, learner: Learner, seed: int) -> tuple[Iterable[Document], str]:
        """The drawings that replay is drawn from, and a sentence that says where they are from."""
        if self.drawings is not None:
            return read_drawings(self.drawings), f"the drawings of {self.drawings.name}"
        if self.model != STARTER:
            return (), "none: bring the drawings that the model was trained on with --original"
        from nightschool.starter.artist import original_documents

        documents = original_documents(ORIGINALS, seed)
        return (
            documents,
            "drawings of real people's digits, like those of the starter's pretraining",
        )

    def contexts(self, seed: int) -> Iterable[Context]:
        """Every caption, sheet by sheet."""
        if self.captions is not None:
            return read_contexts(self.captions, 300, CAPTION, self.sheets)
        if self.model != STARTER:
            return ()
        from nightschool.starter import artist

        return (
            Context(caption_document(caption, sheet), "pool", artist.style(caption))
            for sheet in range(1, self.sheets + 1)
            for caption in artist.captions()
        )

    def exam(self, seed: int, progress: Progress | None = None) -> Sequence[ExamItem]:
        """Held-out drawings, and references for the judges, for the starter's own captions.

        For captions of one's own there are none: people's drawings of the exam partition, or a
        file of `nightschool exam add`, must do.
        """
        if self.model != STARTER or self.captions is not None or not self.examined:
            return ()
        from nightschool.starter import artist

        captions = artist.captions()
        return [
            *drawn_items(captions, REFERENCES, artist.Split.JUDGES, seed, "reference"),
            *drawn_items(captions, HELD_OUT, artist.Split.HELD_OUT, seed, "file"),
        ]


def drawn_items(
    captions: Sequence[str], each: int, split: Split, seed: int, source: str
) -> Iterator[ExamItem]:
    """Exam items of drawings composed from a split's digits, `each` for a caption.

    Their group says whether the starter knows the caption, whether the pool has it and the
    starter does not, or neither: "known", "unknown", "apart".
    """
    from nightschool.exams.text import item_id
    from nightschool.starter import artist

    groups = dict.fromkeys(artist.captions(), "unknown") | dict.fromkeys(artist.known(), "known")
    first = REFERENCE_SHEET if source == "reference" else EXAM_SHEET
    rng = np.random.default_rng([seed, first])
    for number in range(each):
        for caption in captions:
            context = caption_document(caption, first + number)
            picture = encode_picture(artist.compose(caption, rng, split))
            drawing = drawing_document(caption, picture)
            group = groups.get(caption, "apart")
            yield ExamItem(item_id(context), context, (drawing,), group, source)


def read_drawings(path: Path) -> Iterator[Document]:
    """Drawings listed in a JSON-lines file; PoolError names file, line and cure."""
    if not path.is_file():
        raise PoolError(f"{path}: there is no such file.")
    with open(path, encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                picture = (path.parent / row["picture"]).read_bytes()
                yield drawing_document(row["caption"], picture)
            except (ValueError, KeyError, TypeError, OSError, AnswerError) as error:
                raise PoolError(
                    f'{path}, line {number}: needs a JSON object with "caption" and "picture", the '
                    f"path of a picture beside the file ({error})."
                ) from error
