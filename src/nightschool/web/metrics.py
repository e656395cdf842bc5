"""`/metrics`: the school and its server in Prometheus' text format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nightschool.types.people import Right
from nightschool.web.desk import Desk
from nightschool.web.door import needs
from nightschool.web.machines import Machines

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Meter:
    """The numbers of one server: a registry of its own, so that many fit into one process."""

    def __init__(self, school: Desk, machines: Machines) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_School(school, machines))
        self._requests = Histogram(
            "nightschool_request_seconds",
            "Seconds from a request to the last byte of its reply.",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=BUCKETS,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)


def routes(meter: Meter) -> APIRouter:
    """The route of /metrics."""
    api = APIRouter()

    @api.get("/metrics", response_class=PlainTextResponse, dependencies=[needs(Right.LOOK)])
    def metrics() -> Response:
        """The numbers of the school and of its server, in Prometheus' text format."""
        return Response(meter.text(), media_type=CONTENT_TYPE_LATEST)

    return api


class _School(Collector):
    """What the school's status says, read when it is asked for."""

    def __init__(self, school: Desk, machines: Machines) -> None:
        self._school = school
        self._machines = machines

    def describe(self) -> list[Metric]:
        """Nothing: the registry would read the whole status when the server starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every number of the school."""
        status = self._school.status().as_dict()
        verdicts = status["verdicts"]
        yield _labelled(
            CounterMetricFamily("nightschool_answers", "Replies that count.", labels=["reply"]),
            status["replies"],
        )
        yield _labelled(
            GaugeMetricFamily("nightschool_pool_contexts", "Contexts.", labels=["partition"]),
            status["pool"],
        )
        yield CounterMetricFamily("nightschool_nights", "Nights that ended.", len(verdicts))
        yield from _gauges(status)
        if verdicts and (mark := _mark(verdicts[-1])) is not None:
            told = "The serving version's mark at the newest exam, from 0 to 1."
            yield GaugeMetricFamily("nightschool_exam_mark", told, mark)
        running = self._machines.night is not None and self._machines.night.running
        yield GaugeMetricFamily("nightschool_night_running", "Whether a night runs.", running)
        for name, value in (self._machines.figures or dict)().items():
            yield GaugeMetricFamily(f"nightschool_{name}", name.replace("_", " "), value)


def _labelled(family: Any, values: dict[str, float]) -> Metric:
    for label, value in values.items():
        family.add_metric([label], value)
    made: Metric = family
    return made


def _gauges(status: dict[str, Any]) -> Iterator[Metric]:
    told = {
        "queue": ("nightschool_questions_waiting", "Questions in the queue."),
        "bank": ("nightschool_exam_items", "Items of the exam."),
    }
    for key, (name, text) in told.items():
        yield GaugeMetricFamily(name, text, status[key])
    for key in ("champion", "trainee"):
        if found := re.search(r"\d+$", status[key]):
            text = f"Number of the {key}'s version."
            yield GaugeMetricFamily(f"nightschool_{key}", text, int(found[0]))


def _mark(verdict: dict[str, Any]) -> float | None:
    """The mark of the version that serves after a verdict, where it sat that exam."""
    by_version = {verdict["champion"]: verdict["before"], verdict["challenger"]: verdict["after"]}
    mark = by_version.get(verdict["serves"])
    return float(mark) if mark is not None else None
