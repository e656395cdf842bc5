"""`nightschool config`, and KEY=VALUE pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from nightschool.app.config import (
    TABLES,
    Config,
    change_config,
    known,
    parse_value,
    read_config,
)
from nightschool.cli.find import BY
from nightschool.types import ConfigError


def split_pairs(pairs: Iterable[str]) -> dict[str, Any]:
    """Settings from KEY=VALUE and, for the tables, from learner_settings.KEY=VALUE and so on."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set needs KEY=VALUE, not {pair!r}.")
        table, dot, name = key.partition(".")
        if dot and table in TABLES:
            settings.setdefault(table, {})[name] = parse_value(key, value)
        else:
            settings[key] = parse_value(key, value)
    return settings


def show_or_set(folder: Path, key: str | None, value: str | None) -> None:
    """Print all settings with their meaning, or one; or set one."""
    config = read_config(folder)
    if key is None:
        for spec in fields(Config):
            current = shown(config, spec.name)
            mark = "" if spec.name in TABLES or current == spec.default else "  (changed)"
            click.echo(f"{spec.name} = {current!r}{mark}\n    {spec.metadata['help']}")
        return
    if value is None:
        table, _, name = key.partition(".")
        if table not in known():
            raise ConfigError(f"Unknown setting {key!r}; known: {', '.join(known())}.")
        current = shown(config, table)
        click.echo(current.get(name) if name else current)
        return
    change_config(folder, key, parse_value(key, value))
    note_change(folder, key, value)
    click.echo(f"{key} = {value}")


def shown(config: Config, name: str) -> Any:
    """A setting as it is printed: of a webhook's secret only that it is set, or the variable."""
    value = getattr(config, name)
    if name != "webhooks":
        return value
    return {
        hook: {k: "(set)" if k == "secret" and str(v)[:1] != "$" else v for k, v in table.items()}
        if isinstance(table, Mapping)
        else "(broken)"
        for hook, table in value.items()
    }


def note_change(folder: Path, key: str, value: str) -> None:
    """Put a changed setting into the audit trail, where there is a log yet.

    Of a webhook only which: address and secret are nobody's to read.
    """
    from nightschool.warehouse import Warehouse
    from nightschool.warehouse.dialect import has_log

    if not has_log(folder):
        return
    with Warehouse.open(folder) as warehouse:
        hidden = key.partition(".")[0] == "webhooks"
        warehouse.audit.note(BY, "config", key, "" if hidden else value)
