"""`nightschool ask`: a person answers in the terminal."""

from __future__ import annotations

import time
import uuid

import click

from nightschool.app import School
from nightschool.app.morning.recording import recorded
from nightschool.types import TEXT, Answer, AnswerError, ConfigError, Document, Question, Reply

COMMANDS = {
    "/skip": Reply.SKIP,
    "/cant": Reply.CANT_TELL,
    "/bad": Reply.BAD_QUESTION,
}
HELP = "Enter answers; /skip, /cant (can't tell), /bad (bad question), /undo, /quit."


def ask_person(school: School, person: str, limit: int = 0) -> None:
    """Show question after question until the person stops, or none is left."""
    if school.kind != TEXT:
        where = "`nightschool teach`" if school.config.oracle else "the page: `nightschool serve`"
        raise ConfigError(
            f"This school asks {school.kind}s, not words; they are answered by {where}."
        )
    with recorded(school.warehouse, "ask", "waiting"):
        _ask(school, person, limit)


def _ask(school: School, person: str, limit: int) -> None:
    click.echo(HELP)
    if school.labels:
        click.echo(f"Labels: {', '.join(school.labels)}.")
    done = 0
    while limit == 0 or done < limit:
        question = school.next_question(person)
        if question is None:
            click.echo(
                "No questions left. Add contexts with `nightschool pool add FILE`, or let the "
                "model choose new ones with `nightschool night`."
            )
            break
        said = ask_one(school, question, person)
        if said is None:
            break
        done += said
    click.echo(f"Answers kept: {done}. They are learned in the next night (`nightschool night`).")


def ask_one(school: School, question: Question, person: str) -> int | None:
    """One question: 1 when an answer was kept, 0 after an undo, None to stop."""
    shown = time.monotonic()
    while True:
        click.echo()
        try:
            typed = click.prompt(
                question.context.text, default="", show_default=False, prompt_suffix=" "
            ).strip()
        except click.Abort:
            return None
        if typed == "/quit":
            return None
        if typed == "/undo":
            last = school.undo(person)
            click.echo("Taken back." if last else "There is nothing to take back.")
            return 0
        if typed.startswith("/") and typed not in COMMANDS:
            click.echo(HELP)
            continue
        reply = COMMANDS.get(typed, Reply.ANSWER)
        document = Document(typed) if reply is Reply.ANSWER else None
        seconds = time.monotonic() - shown
        name = str(uuid.uuid4())
        try:
            school.keep(Answer(name, question.id, person, reply, document, seconds, school.now()))
        except AnswerError as error:
            click.echo(f"Not kept: {error}")
            continue
        return 1
