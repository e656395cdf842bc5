"""Words: a language model is asked to go on, and a person types how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nightschool.app.pool import read_texts
from nightschool.types import TEXT, Context, Document, ExamItem, Learner, Progress

STARTER = "starter"
ORIGINAL_TEXTS = 4000
SAMPLED_TEXTS = 1000


@dataclass(frozen=True)
class WordsTask:
    """A causal language model: a folder, a hub name with its revision, or "starter".

    `texts` is a file of its original dataset, where there is one.
    """

    model: str = STARTER
    texts: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    kind: str = TEXT
    untaught: bool = False

    def source(self) -> str:
        """Where the model lies."""
        return str(starter_folder()) if self.model == STARTER else self.model

    def original(self, learner: Learner, seed: int) -> tuple[Iterable[Document], str]:
        """The texts that replay is drawn from, and a sentence that says where they came from."""
        if self.texts is not None:
            return map(Document, read_texts(self.texts)), f"the texts of {self.texts.name}"
        if self.model == STARTER and learner.recipe.learner == "language":
            from nightschool.starter.stories import original_texts

            texts = original_texts(ORIGINAL_TEXTS, seed)
            return map(Document, texts), "stories like those that the starter was pretrained on"
        sample = getattr(learner, "sample", None)
        if sample is None:
            return (), "none: this learner cannot write texts; bring some with --original"
        return (
            sample(SAMPLED_TEXTS, seed=seed),
            "sampled from the model itself, for want of --original: it remembers what it says by "
            "itself, not what it was trained on",
        )

    def contexts(self, seed: int) -> Iterable[Context]:
        """None: they are brought with `nightschool pool add`."""
        return ()

    def exam(self, seed: int, progress: Progress | None = None) -> Sequence[ExamItem]:
        """None: an owner brings a test file."""
        return ()


def starter_folder() -> Path:
    """Where the starter's weights lie in the package."""
    from nightschool.starter import weights_folder

    return weights_folder()
