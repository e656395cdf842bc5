"""`nightschool serve`: the page, the API, and the nights on schedule."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Collection

import click

from nightschool.app import School
from nightschool.app.days import begin_days
from nightschool.app.logs import set_up
from nightschool.app.machines import services
from nightschool.app.morning.recording import recorded
from nightschool.app.nights import NightProcess, schedule
from nightschool.web import run
from nightschool.web.machines import Machines


def serve_school(
    school: School,
    host: str | None,
    port: int | None,
    allow_remote: bool,
    hosts: Collection[str] = (),
    accounts: bool = True,
    log_format: str | None = None,
    proxies: Collection[str] = (),
) -> None:
    """Serve until interrupted; one server a school. A night that runs ends with it."""
    interrupt_on_term()
    if log_format:
        set_up(log_format)
    with school.warehouse.serve_lock(), recorded(school.warehouse, "serve", "waiting"):
        logged = ("--log-format", log_format) if log_format else ()
        note = school.warehouse.audit.note
        night = NightProcess(
            school.folder, school.config, *logged, note=lambda by: note(by, "night", "", "")
        )
        stop = schedule(school.config, night.start)
        rest = begin_days(school)
        # A request passes through several threads; none should wait long for others' arithmetic.
        sys.setswitchinterval(0.001)
        school.supply.begin()
        if school.config.candidates > 1:
            school.requeue.begin()
        try:
            with services(school) as found:
                run(
                    school,
                    host or school.config.host,
                    port if port is not None else school.config.port,
                    accounts=school.accounts if accounts else None,
                    allow_remote=allow_remote,
                    hosts=hosts,
                    machines=Machines(night, found.offer, found.figures),
                    logs=log_format is not None,
                    proxies=proxies,
                    say=click.echo,
                    notes=plans(school),
                )
        finally:
            stop()
            rest()
            night.stop()


def plans(school: School) -> list[str]:
    """What will happen by itself, in sentences."""
    told = []
    if school.config.night_at:
        told.append(f"The night begins at {school.config.night_at}, every day.")
    if school.config.oracle:
        told.append(f"By day {school.oracle.person} answers what the night has chosen.")
    return told


def interrupt_on_term() -> None:
    """Let SIGTERM and a lost terminal end the process as Ctrl-C does, in the main thread only.

    What was ignored from the start stays ignored (`nohup`).
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
