"""A language model that can be taught: the learner that a school of texts is built around."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from nightschool.learners.language import (
    adapter,
    asking,
    marking,
    members,
    scoring,
    storing,
    teaching,
    writing,
)
from nightschool.learners.language.body import Body
from nightschool.learners.language.embedding import embed
from nightschool.learners.language.marking import Habits
from nightschool.learners.language.observing import Pool
from nightschool.learners.language.opening import choose_device, locate, open_model
from nightschool.learners.language.settings import LanguageSettings
from nightschool.learners.language.storing import Stored
from nightschool.learners.language.text import Text
from nightschool.types import (
    Blocks,
    Context,
    Dataset,
    Document,
    ExamItem,
    Floats,
    LearnerError,
    Progress,
    Recipe,
)
from nightschool.types.serving import Message, Prompt, Scored

_LONGEST_SAMPLE = 128


@dataclass(frozen=True, eq=False)
class LanguageLearner:
    """One version of a language model; every call leaves it as it was, in any thread.

    `wrapped` is PEFT's view of the model, when it has an adapter; `posterior` the members' factors.
    """

    body: Body
    text: Text
    settings: LanguageSettings
    recipe: Recipe
    stored: Stored
    wrapped: Any | None = None
    posterior: Mapping[str, Tensor] | None = None

    @property
    def window(self) -> int:
        """The longest text that is read at once, in tokens."""
        most = self.settings.max_context
        return min(self.body.window, most) if most else self.body.window

    @property
    def night_bytes(self) -> int:
        """About how many bytes a night writes: a checkpoint with its optimiser, then the version.

        An adapter is small however large its base is.
        """
        width = sum(a + b for a, b in self.body.sizes.values())
        learned = self.body.parameters
        if self.stored.method == "lora":
            learned = self.settings.rank * width
        members = self.settings.members * self.settings.member_rank * width
        return 4 * 5 * (learned + members)  # float32: weights, two moments, a spare, the version

    def check(self, context: str) -> str | None:
        """Why a context cannot be asked (it is empty, or too long for the window); else None."""
        length = len(self.text.contexts([context])[0])
        room = self.window - self.room
        if not context.strip():
            return "The context is empty."
        if length > room:
            return f"The context has {length} tokens; this model reads at most {room}."
        return None

    def fit(
        self, dataset: Dataset, *, seed: int, workspace: Path, progress: Progress | None = None
    ) -> LanguageLearner:
        """A new learner, taught tonight's answers; a killed fit goes on from its workspace.

        A pure function of learner, dataset and seed on one machine with one number of threads.
        Contexts too long for the window lose their beginning. Raises LearnerError where the loss
        is not a number.
        """
        with self.body.threads():
            return teaching.teach(self, dataset, seed, workspace, progress)

    def observe(
        self, contexts: Sequence[Context], *, asked: Sequence[Context] = (), seed: int
    ) -> Blocks:
        """Blocks of embeddings and posterior answers; computed while somebody goes through them.

        Members that agree everywhere give way to dropout passes; raises LearnerError (then) when
        those are all one and the same too.
        """
        for context in contexts:
            if not context.text.strip():
                raise LearnerError("The pool holds an empty context; take it out.")
        dropped = partial(members.dropout_passes, self.body, self.settings, seed)
        trained = None
        if self.posterior is not None:
            trained = members.as_factors(dict(self.posterior), self.body.device)
        return Pool(
            self.body, self.text, self.settings, contexts, asked, trained or dropped(),
            min(self.stored.habits.tokens, self.room), self.window, dropped if trained else None,
        )  # fmt: skip

    def predict(self, contexts: Sequence[Context]) -> Sequence[Document]:
        """The greedy answer to each context, as long as answers were at the last lesson."""
        said = marking.predict(
            self.body,
            self.text,
            [c.text for c in contexts],
            self.stored.habits,
            self.window,
            self.room,
        )
        return [Document(answer) for answer in said]

    def mark(self, items: Sequence[ExamItem]) -> Sequence[float]:
        """The probability that the text goes on with an accepted answer, for each item.

        An answer that fills the whole window has the mark 0.
        """
        return marking.mark(self.body, self.text, items, self.window)

    def complete(
        self, prompt: Prompt, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str]
    ) -> Iterator[str]:
        """Pieces of text that continue the prompt; the same for the same seed."""
        return writing.complete(
            self.body,
            self.text,
            prompt,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=stop,
            window=self.body.window,
        )

    def score(
        self, prompt: Prompt, *, max_tokens: int, temperature: float, seed: int, top: int
    ) -> Scored:
        """How probable each token of a prompt was, and of up to max_tokens written after it."""
        return scoring.score(
            self.body,
            self.text,
            prompt,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            top=top,
            window=self.body.window,
        )

    def spell(self, tokens: Sequence[int]) -> str:
        """The text of some tokens."""
        return self.text.decode(writing.read(self.body, self.text, tokens))

    def count(self, prompt: Prompt) -> int:
        """How many tokens the model reads for a prompt."""
        return len(writing.read(self.body, self.text, prompt))

    def chat(self, messages: Sequence[Message]) -> Sequence[int] | None:
        """The tokens of a chat by the tokenizer's own template; None where it has none."""
        return self.text.chat(messages)

    def sample(self, n: int, *, seed: int) -> Sequence[Document]:
        """n texts that the model writes from nothing."""
        longest = min(_LONGEST_SAMPLE, self.window - 1)
        return [
            Document(t) for t in writing.sample(self.body, self.text, n, seed=seed, longest=longest)
        ]

    def write(
        self,
        pool: Sequence[Context],
        n: int,
        *,
        asked: Sequence[Context] = (),
        declined: Sequence[Context] = (),
        seed: int,
    ) -> Sequence[Context]:
        """At most n contexts of its own: those of the pool with other words in their places.

        What is probably no question (by what became of those `asked`, of which `declined` got no
        answer) is left out; so is what the pool holds already.
        """
        model = asking.Model(
            self.embed,
            lambda texts: [d.body for d in self.predict([Context.of(t) for t in texts])],
            partial(self._invent, seed),
            self.settings.longer,
            self.settings.invented,
        )
        written = asking.write(model, pool, n, asked=asked, declined=declined, seed=seed)
        return [context for context in written if self.check(context.text) is None]

    def _invent(self, seed: int, told: Sequence[str], n: int) -> Sequence[str]:
        body, _ = teaching.pupil(self, seed)
        parameters = teaching.learning(body, self.stored.method)
        rate, longest = self.settings.rate(body.parameters), min(_LONGEST_SAMPLE, self.window - 1)
        return asking.invent(
            body, self.text, told, n, parameters=parameters, rate=rate, seed=seed, longest=longest
        )

    def embed(self, texts: Sequence[str]) -> Floats:
        """Unit vectors (n, d) of texts: the mean of the last layer's states over their tokens."""
        return embed(self.body, self.text, texts, self.window)

    def save(self, folder: Path) -> None:
        """Write the model (or its adapter), tokenizer and posterior into an empty folder."""
        storing.save(
            folder,
            self.stored,
            self.body.model,
            self.text.tokenizer,
            self.wrapped,
            dict(self.posterior) if self.posterior is not None else None,
        )

    @property
    def room(self) -> int:
        """Tokens kept free for an answer."""
        return min(self.settings.max_answer_tokens, max(1, self.window // 4))


class LanguageKind:
    """How a language learner begins and comes back."""

    def check(self, settings: Mapping[str, object]) -> None:
        """Raises LearnerError for a setting that it does not know; loads no model."""
        LanguageSettings.of(settings)

    def begin(self, source: str, settings: Mapping[str, object]) -> LanguageLearner:
        """A learner from a model folder or `NAME@REVISION` of the hub, as it was brought."""
        chosen = LanguageSettings.of(settings)
        name, revision = locate(source)
        model, tokenizer = open_model(name, revision, choose_device(chosen.device))
        body = Body(model, chosen.threads)
        called = f"{name}@{revision}" if revision else Path(name).name
        stored = Stored(called, chosen.resolved_method(body.parameters), Habits())
        return _made(body, tokenizer, chosen, settings, stored)

    def load(self, folder: Path, settings: Mapping[str, object]) -> LanguageLearner:
        """A learner from a folder that `save` wrote."""
        chosen = LanguageSettings.of(settings)
        stored, posterior = storing.read(folder)
        model, tokenizer = storing.open_base(folder, stored, choose_device(chosen.device))
        body, wrapped = Body(model, chosen.threads), None
        if storing.has_adapter(folder):
            wrapped = adapter.load_adapter(model, folder)
            body = body.around(wrapped.base_model.model)
        stored = replace(stored, base=storing.as_base(folder, stored))
        learner = _made(body, tokenizer, chosen, settings, stored)
        return replace(learner, wrapped=wrapped, posterior=posterior)


def _made(
    body: Body,
    tokenizer: Any,
    chosen: LanguageSettings,
    settings: Mapping[str, object],
    stored: Stored,
) -> LanguageLearner:
    generation = getattr(body.model, "generation_config", None)
    stops = getattr(generation, "eos_token_id", None)
    stops = stops if isinstance(stops, list) else [] if stops is None else [stops]
    text = Text(tokenizer, body.vocabulary, stops)
    return LanguageLearner(body, text, chosen, Recipe("language", dict(settings)), stored)
