"""`nightschool webhook`: who is told what happens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

from nightschool.app.config import read_config, write_config
from nightschool.app.webhooks import Herald, Hook, as_table, hooks_of
from nightschool.cli.find import BY
from nightschool.types import ConfigError
from nightschool.warehouse import Warehouse


def add(folder: Path, name: str, url: str, events: Sequence[str], secret: str) -> None:
    """Add a webhook, or replace it, and print its secret once, where that is a new one."""
    table = as_table(url, events, name, secret)
    # Where it goes to, without the path and the name in it: these may be secrets.
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    _change(folder, name, table, "webhook added", where)
    click.echo(f"{name}: {', '.join(table['events'])} go to {url} while `nightschool serve` runs.")
    if not secret:
        click.echo(f"Secret, for the receiver to check signatures with: {table['secret']}")


def remove(folder: Path, name: str) -> None:
    """Remove a webhook; what it was not told yet it never will be."""
    _known(folder, name)
    _change(folder, name, None, "webhook removed", "")
    click.echo(f"{name} is told nothing any more.")


def show(folder: Path) -> None:
    """Every webhook, and how many messages wait."""
    with Warehouse.open(folder) as warehouse:
        waiting = warehouse.deliveries.waiting()
        troubles = {row["hook"]: row["error"] for row in warehouse.deliveries.newest(200)[::-1]}
    for hook in hooks_of(read_config(folder)):
        trouble = f"; last: {troubles[hook.name]}" if troubles.get(hook.name) else ""
        events = ", ".join(hook.events)
        click.echo(
            f"{hook.name}: {hook.url} ({events}); {waiting.get(hook.name, 0)} waiting{trouble}"
        )


def test(folder: Path, name: str) -> None:
    """Send one message now and say what came back."""
    hook = _known(folder, name)
    with Warehouse.open(folder) as warehouse:
        herald = Herald(warehouse.deliveries, lambda: [hook])
        error = herald.ping(hook, time.time())
        herald.close()
    if error:
        raise ConfigError(f"{hook.url} did not take the message: {error}.")
    click.echo(f"{hook.url} took the message.")


def _known(folder: Path, name: str) -> Hook:
    hooks = {hook.name: hook for hook in hooks_of(read_config(folder))}
    if name not in hooks:
        known = ", ".join(hooks) or "none"
        raise ConfigError(f"There is no webhook {name!r}; known: {known}.")
    return hooks[name]


def _change(folder: Path, name: str, table: object, action: str, detail: str) -> None:
    with Warehouse.open(folder) as warehouse:
        write_config(folder, {f"webhooks.{name}": table})
        warehouse.audit.note(BY, action, name, detail)
