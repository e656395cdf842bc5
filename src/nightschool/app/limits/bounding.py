"""The fewest answers that any system would need, for a class of hypotheses that is declared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from nightschool.app.again import STRATEGY as AGAIN
from nightschool.app.school import School
from nightschool.exams.text import latest_of_each
from nightschool.limits import Noise, capacity, fewest, measured
from nightschool.types import TEXT, Answer, ConfigError, Partition, Reply, normalise

MEASURED = "measured"


@dataclass(frozen=True)
class Bounded:
    """A lower bound on answers, beside those that were used.

    `hypotheses` of the declared class, `kinds` of answers, `noise` of one answer, `bits` that an
    answer tells at most, `error` that is allowed. `fewest` answers are needed by any system: inf
    where answers tell nothing. `seen` is what the noise was measured from; None where it was given
    or could not be measured.
    """

    hypotheses: int
    kinds: int
    noise: float
    bits: float
    error: float
    fewest: float
    surely: float
    noiseless: float
    used: int
    given: bool
    seen: Noise | None = None


def bound_of(
    school: School,
    hypotheses: str,
    kinds: int = 0,
    noise: str = MEASURED,
    error: float = 0.0,
) -> Bounded:
    """The bound for a class: a number of hypotheses, or a file with one a line.

    `kinds`, how many different answers a question may have, is that of the file or the learner's
    labels where it is 0; ConfigError where neither tells, for the bound would be no bound. `noise`
    is a share in [0, 1], or "measured" from contexts with answers of several people, leaving out
    those asked again because the first was in doubt.
    """
    count, told = read_class(hypotheses)
    labels = school.config.learner_settings.get("labels")
    kinds = kinds or told or (len(labels) if isinstance(labels, list | tuple) else 0)
    if kinds < 2:
        raise ConfigError(
            f"A class of {count} hypotheses is declared, but not how many different answers a "
            "question may have, on which the bound depends; say it with `--kinds 2` (yes or no)."
        )
    seen = measured(answers_again(school), kinds) if noise == MEASURED else None
    share = seen.noise if seen is not None else _share(noise)
    if not 0.0 <= error < 1.0:
        raise ConfigError(f"The error is {error}; it must be 0 or more and below 1.")
    least = seen.low if seen is not None else share
    return Bounded(
        hypotheses=count,
        kinds=kinds,
        noise=share,
        bits=capacity(kinds, share),
        error=error,
        fewest=fewest(count, kinds, share, error),
        surely=fewest(count, kinds, least, error),
        noiseless=fewest(count, kinds, 0.0, error),
        used=len(school.warehouse.answers()),
        given=noise != MEASURED,
        seen=seen,
    )


def read_class(declared: str) -> tuple[int, int]:
    """How many hypotheses are declared, and how many kinds of answers they give (0: unknown).

    A number; or a file with one hypothesis a line, equal ones counted once: a name, or a JSON
    object of the answer to each context.
    """
    if declared.isdecimal() and int(declared) > 0:
        return int(declared), 0
    path = Path(declared)
    if not path.is_file():
        raise ConfigError(
            f"{declared!r} is neither a number of hypotheses nor a file with one a line; give "
            "one of them, or leave --hypotheses out."
        )
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines:
        raise ConfigError(f"{path} holds no hypothesis; write one a line.")
    if not lines[0].startswith("{"):
        return len(set(lines)), 0
    answers: dict[str, set[str]] = {}
    distinct = set()
    for number, line in enumerate(lines, 1):
        try:
            table = json.loads(line)
            pairs = sorted((str(k), normalise(str(v))) for k, v in table.items())
        except (json.JSONDecodeError, AttributeError) as error:
            raise ConfigError(
                f'{path}, line {number}: a hypothesis is {{"context": "answer", …}}; mend the '
                f"line ({error})."
            ) from error
        distinct.add(tuple(pairs))
        for context, answer in pairs:
            answers.setdefault(context, set()).add(answer)
    return len(distinct), max((len(own) for own in answers.values()), default=0)


def answers_again(school: School) -> list[list[str]]:
    """For each context with a text for an answer, what each person said of it last.

    Answers to a question that was asked again are left out: it was asked because the first answer
    was in doubt, so people disagree there more often than elsewhere, and a bound from them would
    be too high.
    """

    def unprompted(answer: Answer) -> bool:
        return school.warehouse.question(answer.question_id).strategy != AGAIN

    found = []
    for side in Partition:
        for answered in school.warehouse.answered(side):
            several = len(answered.answers) > 1
            counted = [a for a in answered.answers if not several or unprompted(a)]
            voices = latest_of_each(counted)
            given = [a.document for a in voices if a.reply is Reply.ANSWER]
            texts = [normalise(d.body) for d in given if d is not None and d.kind == TEXT]
            if texts:
                found.append(texts)
    return found


def _share(noise: str) -> float:
    if noise == MEASURED:  # nobody was asked again: the bound of answers without noise holds too
        return 0.0
    try:
        share = float(noise)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ConfigError(f"The noise is {noise!r}; it must be `measured` or a share from 0 to 1.")
    return share
