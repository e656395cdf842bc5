"""The simulated artist: draws what a caption says, from digits that nobody else has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nightschool.starter.artist.composing import compose
from nightschool.starter.artist.digits import Split
from nightschool.starter.artist.grammar import parse
from nightschool.types import Document, PoolError, Question, Reply, Said
from nightschool.types.drawing import caption_of, drawing_document, encode_picture

SECONDS_TO_BEGIN = 3.0
SECONDS_A_DIGIT = 4.0


@dataclass(frozen=True)
class ArtistOracle:
    """Draws a caption from the artist's own digits, and says "can't tell" to any other words.

    A drawing is a pure function of `seed` and the context's id, so two sheets of one caption
    differ and a sheet asked again is drawn again alike. The artist has 37 to 56 digits of each
    value; what differs between more drawings than that is jitter. Its seconds are simulated.
    """

    person: str = "simulated-artist"
    seed: int = 0

    def answer(self, question: Question) -> Said:
        """A drawing of the caption; "can't tell" where the grammar does not hold it."""
        caption = caption_of(question.context.document)
        try:
            scene = parse(caption)
        except PoolError as error:
            return Said(Reply.CANT_TELL, None, SECONDS_TO_BEGIN, note=str(error))
        seconds = SECONDS_TO_BEGIN + SECONDS_A_DIGIT * len(scene.digits)
        return Said(Reply.ANSWER, self.draw(caption, question.context.id), seconds)

    def draw(self, caption: str, context_id: int) -> Document:
        """The drawing under that context id; raises PoolError outside the grammar."""
        rng = np.random.default_rng([self.seed, context_id])
        return drawing_document(caption, encode_picture(compose(caption, rng, Split.ARTIST)))
