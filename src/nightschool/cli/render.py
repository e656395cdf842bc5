"""What is printed: the morning line, the status, the exam."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict

import click

from nightschool.app.status import Status
from nightschool.app.writing import WrittenQuestions
from nightschool.cli.find import counted, say
from nightschool.types import ExamResult, Reply, Span, Verdict
from nightschool.web.report import by_hand


def percent(value: float) -> str:
    """A share as a percentage; a dash where it is not known."""
    return "-" if math.isnan(value) else f"{100 * value:.0f} %"


def morning_line(verdict: Verdict, status: Status, spans: Iterable[Span]) -> str:
    """One line a morning: who serves and why, answers, questions of its own, seconds."""
    seconds: dict[str, float] = {}
    for span in spans:
        seconds[span.name] = seconds.get(span.name, 0.0) + span.seconds
    steps = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items() if value >= 0.05)
    written = f" Written: {written_line(status.written)}." if status.written.asked else ""
    return (
        f"Night {verdict.night}: {verdict.reason} Answers so far: {status.answers}.{written} "
        f"Seconds: {steps}."
    )


def written_line(report: WrittenQuestions) -> str:
    """One line on the questions that the model wrote itself, beside those of the pool."""
    share = report.answerable / report.asked if report.asked else math.nan
    line = (
        f"{report.written} questions by the model itself; asked {report.asked}, "
        f"answerable {report.answerable} ({percent(share)})"
    )
    if math.isnan(report.taught[0]):
        return line
    own, pool = ((percent(a), percent(b)) for a, b in (report.taught, report.taught_by_pool))
    return (
        f"{line}; learning took their mean mark from {own[0]} to {own[1]}, "
        f"that of pool questions from {pool[0]} to {pool[1]}"
    )


def replies_told(replies: Mapping[str, int]) -> str:
    """How often each kind of reply was given, such as "3 answers, 1 skip"."""
    names = {
        Reply.ANSWER.value: "answer", Reply.SKIP.value: "skip",
        Reply.CANT_TELL.value: "can't tell", Reply.BAD_QUESTION.value: "bad question",
    }  # fmt: skip
    return ", ".join(
        f"{n:,} {name}" if name == "can't tell" else counted(n, name)
        for kind, name in names.items()
        if (n := replies.get(kind, 0))
    )


def print_status(status: Status, as_json: bool) -> None:
    """The status for a person, or as JSON."""
    if as_json:
        click.echo(json.dumps(status.as_dict(), indent=2, default=str))
        return
    replies = replies_told(status.replies)
    pool = ", ".join(f"{n:,} {side}" for side, n in status.pool.items())
    click.echo(f"School      {status.name}")
    click.echo(f"Serves      {status.champion}; newest version {status.trainee}")
    if status.by_hand is not None:
        click.echo(f"            {by_hand(asdict(status.by_hand))}")
    click.echo(f"Answers     {status.answers}" + (f" ({replies})" if replies else ""))
    click.echo(f"Queue       {counted(status.queue, 'question')} waiting; pool: {pool or 'empty'}")
    click.echo(
        f"Exam        {counted(status.bank, 'item')}, {status.exam_file:,} of them from a test file"
    )
    if status.skipped_exam:
        click.echo(f"            {status.skipped_exam} exam questions could not be answered")
    if status.written.written:
        click.echo(f"Written     {written_line(status.written)}")
    click.echo(f"Original    {status.original}")
    for verdict in status.verdicts[-7:]:
        click.echo(f"Night {verdict.night:<5} {verdict.reason}")
    if status.seconds:
        total = ", ".join(f"{k} {v:.1f}" for k, v in sorted(status.seconds.items()))
        click.echo(f"Seconds     {total}")
    if not math.isnan(status.seconds_per_answer):
        click.echo(f"            {status.seconds_per_answer:.1f} a question from shown to answered")
    for warning in status.warnings:
        say(f"Note        {warning}")


def print_exam(results: Iterable[ExamResult], champion: str) -> None:
    """Mean marks of the versions that sat, by name; gating marks are named so."""
    for result in results:
        names = dict.fromkeys((m.name, m.gates) for m in result.marks)
        marks = ", ".join(
            f"{name} {percent(result.mean(name))}{' (gates)' if gates else ''}"
            for name, gates in names
        )
        items = len({m.item for m in result.marks})
        role = "champion" if result.version == champion else "newest"
        click.echo(f"{result.version} ({role}): {marks or 'no items'} on {counted(items, 'item')}")
