"""What `serve` does for machines beside the pages: webhooks, served texts, numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from nightschool.app.school import School
from nightschool.app.served import ServedTexts
from nightschool.app.webhooks import Herald, HooksFile
from nightschool.types import TEXT, Context, LockedError


@dataclass(frozen=True)
class Services:
    """What runs beside the pages; `offer` is None where served texts stay out of the pool."""

    offer: Callable[[Sequence[str]], object] | None
    figures: Callable[[], Mapping[str, float]]


@contextmanager
def services(school: School) -> Iterator[Services]:
    """The services of a school's server; they end with the with block."""
    with ExitStack() as stack:
        herald = Herald(school.warehouse.deliveries, HooksFile(school.folder))
        herald.begin()
        stack.callback(herald.close)
        served: ServedTexts | None = None
        if school.config.served_to_pool and school.kind == TEXT:
            served = ServedTexts(_Pool(school), school.config.max_context_chars)
            stack.callback(served.close)

        def figures() -> Mapping[str, float]:
            waiting = sum(school.warehouse.deliveries.waiting().values())
            found = {"leases": school.warehouse.leases(school.now()), "webhooks_waiting": waiting}
            if served is not None:
                found |= {"served_taken": served.taken, "served_dropped": served.dropped}
            return found

        yield Services(served.offer if served is not None else None, figures)


def tell_webhooks(school: School) -> None:
    """Send what waits, at a night's end, unless a server runs: it does so by itself."""
    with contextlib.suppress(LockedError), school.warehouse.serve_lock():
        herald = Herald(school.warehouse.deliveries, HooksFile(school.folder))
        try:
            herald.step()
        finally:
            herald.close()


class _Pool:
    """The school as served texts see it."""

    def __init__(self, school: School) -> None:
        self._school = school

    def unfit(self, text: str) -> str | None:
        """Why a text cannot be asked, by the model that was asked it."""
        learner = self._school.learner(self._school.champion())
        check = getattr(learner, "check", None)
        return check(text) if check is not None else None

    def take(self, contexts: Sequence[Context]) -> int:
        """Put contexts into the pool, each in its own partition; how many were new."""
        return self._school.add_contexts(contexts).new
