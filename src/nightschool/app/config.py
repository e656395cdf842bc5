"""nightschool.toml: one flat table of settings and one table for the learner."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError

from nightschool.app import parts
from nightschool.types import ConfigError

FILE = "nightschool.toml"
FIXED = ("learner", "seed", "system")
PARTS = {
    "learner": "learners",
    "strategy": "strategies",
    "exam": "exams",
    "oracle": "oracles",
    "system": "systems",
    "agreement": "agreements",
}
"""The settings that name an installed part, and the part's kind; an empty name is no part."""

TABLES = ("learner_settings", "oracle_settings", "system_settings", "webhooks")
"""Tables whose keys belong to the part that they configure, and the table of webhooks."""


def setting(default: Any, help: str, check: Callable[[Any], bool], allowed: str) -> Any:
    """A field of Config with its meaning and its range."""
    return field(default=default, metadata={"help": help, "check": check, "allowed": allowed})


def _share(value: float) -> bool:
    return 0 <= value <= 1


def _positive(value: float) -> bool:
    return value > 0


def _any(value: object) -> bool:
    return True


def _whole(value: int) -> bool:
    return value >= 0


def _named(value: str) -> bool:
    return bool(value)


@dataclass(frozen=True)
class Config:
    """Every setting of a school, with its default."""

    learner: str = setting("language", "which learner is taught (fixed by init)", _named, "a name")
    strategy: str = setting("hybrid", "which contexts to ask next", _named, "a strategy's name")
    exam: str = setting("text", "how answers are marked", _named, "an exam's name")
    oracle: str = setting(
        "", "who answers by itself (`nightschool teach`); empty: people", _any, "a name or empty"
    )
    system: str = setting(
        "", "the physical system that reacts (fixed by init)", _any, "a system's name or empty"
    )
    gate: str = setting(
        "balanced",
        "the rule of promotion",
        lambda v: v in ("balanced", "strict"),
        "balanced or strict",
    )
    questions: int = setting(
        40,
        "questions chosen each night; when people have used them up, as many again are drawn at "
        "random, or up to 100 where many answer at once, so that nobody waits",
        _positive,
        "1 or more",
    )
    candidates: int = setting(
        1,
        "contexts named for each question; with 2 or more the day's answers re-rank them",
        _positive,
        "1 or more",
    )
    ask_again: float = setting(
        0.1, "largest share of questions that check a former answer", _share, "0 to 1"
    )
    per_second: bool = setting(
        True, "whether what a question teaches is counted for a second", _any, "true or false"
    )
    gate_days: int = setting(
        7,
        "days after which the gate looks though the exam has not grown; 0: every night",
        _whole,
        "0 or more",
    )
    written: int = setting(0, "contexts the model writes each night", _whole, "0 or more")
    pool_sample: int = setting(1000, "contexts observed each night", _positive, "1 or more")
    sheets: int = setting(8, "drawings of one caption that may be asked", _positive, "1 or more")
    exam_partition: float = setting(0.2, "share of the pool kept for the exam", _share, "0 to 1")
    exam_share: float = setting(0.25, "exam questions until the bank is full", _share, "0 to 1")
    exam_share_late: float = setting(0.1, "exam questions after that", _share, "0 to 1")
    bank_target: int = setting(100, "items with which the bank is full", _whole, "0 or more")
    lease_seconds: float = setting(
        600.0, "longest time that a question is held for a person", _positive, "above 0"
    )
    overlap: float = setting(
        0.0, "share of questions that are asked of several people", _share, "0 to 1"
    )
    overlap_people: int = setting(
        3, "people who are asked such a question", lambda v: v >= 2, "2 or more"
    )
    agreement: str = setting(
        "one_coin", "how answers are weighed: by who gave them, or by majority", _named, "a name"
    )
    gold_share: float = setting(
        0.05, "share of gold questions among those that a person gets", _share, "0 to 1"
    )
    show_guess: bool = setting(
        False, "whether people see what the model would say (it biases them)", _any, "true or false"
    )
    served_to_pool: bool = setting(
        False, "whether contexts that the API is sent join the pool", _any, "true or false"
    )
    target: float = setting(0.9, "the exam mark that the school is for", _share, "0 to 1")
    trackers: str = setting(
        "", "where each night is reported as well: names, with commas", _any, "trackers' names"
    )
    max_answer_chars: int = setting(2000, "longest answer kept", _positive, "1 or more")
    max_context_chars: int = setting(20000, "longest context taken", _positive, "1 or more")
    night_at: str = setting(
        "03:00",
        "when serve runs the night, local time; empty: never",
        lambda v: v == "" or re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", v) is not None,
        "HH:MM or empty",
    )
    night_threads: int = setting(0, "CPU threads of a night; 0: all but one", _whole, "0 or more")
    host: str = setting("127.0.0.1", "address that serve listens on", _named, "an address")
    port: int = setting(8377, "port that serve listens on", lambda v: 0 <= v < 65536, "0 to 65535")
    seed: int = setting(
        0,
        "for simulations: with a seed, which contexts are kept for the exam can be guessed; 0: a "
        "secret, random choice (fixed by init)",
        _whole,
        "0 or more",
    )
    learner_settings: Mapping[str, object] = field(
        default_factory=dict,
        metadata={"help": "settings of the learner: the table [learner_settings]"},
    )
    oracle_settings: Mapping[str, object] = field(
        default_factory=dict,
        metadata={"help": "settings of the oracle: the table [oracle_settings]"},
    )
    system_settings: Mapping[str, object] = field(
        default_factory=dict,
        metadata={"help": "settings of the system: the table [system_settings]"},
    )
    webhooks: Mapping[str, object] = field(
        default_factory=dict,
        metadata={"help": "who is told what happens: [webhooks.NAME] (`nightschool webhook`)"},
    )


def known() -> list[str]:
    """The names of all settings."""
    return [f.name for f in fields(Config)]


def read_config(folder: Path) -> Config:
    """The settings of a school's folder; what the file does not name has its default."""
    path = folder / FILE
    try:
        table = tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    except FileNotFoundError:
        raise ConfigError(
            f"{folder} is not a school: it has no {FILE}. Make one with "
            f"`nightschool init {folder}`, or name another with --school."
        ) from None
    except ParseError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    return make_config(table, str(path))


def make_config(table: Mapping[str, Any], where: str) -> Config:
    """Settings from a table; unknown keys and values out of range are refused by name."""
    by_name = {f.name: f for f in fields(Config)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in by_name:
            near = difflib.get_close_matches(key, by_name, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(by_name)}."
            raise ConfigError(f"{where}: unknown setting {key!r}; {hint}")
        values[key] = _checked(by_name[key], value, where)
    return Config(**values)


def _checked(spec: Any, value: Any, where: str) -> Any:
    if spec.name in TABLES:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where}: {spec.name} must be a table, not {value!r}.")
        return dict(value)
    wanted = {"int": int, "float": float, "str": str, "bool": bool}[spec.type]
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted or not spec.metadata["check"](value):
        allowed = spec.metadata["allowed"]
        raise ConfigError(f"{where}: {spec.name} = {value!r} is not allowed; it must be {allowed}.")
    return value


def check_parts(config: Config) -> None:
    """Raises ConfigError or LearnerError for a part, or a learner's setting, that there is not."""
    for name, kind in PARTS.items():
        if getattr(config, name):
            parts.require(kind, getattr(config, name))
    parts.learner_kind(config.learner).check(config.learner_settings)


def change_config(folder: Path, key: str, value: Any) -> None:
    """Put one setting into the school's file, if the parts that it concerns know it."""
    if key in FIXED:
        option = "env" if key == "system" else key
        raise ConfigError(
            f"{key} cannot be set to {value!r}: it is fixed by init. Begin another school with "
            f"`nightschool init FOLDER --{option} {value}`."
        )
    if key in PARTS and value:
        parts.require(PARTS[key], value)
    table, _, name = key.partition(".")
    if table == "webhooks":
        raise ConfigError("Webhooks are made and removed with `nightschool webhook`.")
    if table == "learner_settings" and name:
        config = read_config(folder)
        parts.learner_kind(config.learner).check({**config.learner_settings, name: value})
    if table in ("oracle_settings", "system_settings") and name:
        config = read_config(folder)
        part = table.removesuffix("_settings")
        if getattr(config, part):
            settings = {**getattr(config, table), name: value}
            parts.check(f"{part}s", getattr(config, part), settings)
    write_config(folder, {key: value})


def write_config(folder: Path, values: Mapping[str, Any]) -> None:
    """Put settings into the school's file; comments and everything else stay as they are.

    None takes a key out of its table.
    """
    path = folder / FILE
    document = (
        tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    )
    for key, value in values.items():
        if "." in key:
            table, name = key.split(".", 1)
            document.setdefault(table, tomlkit.table())
            if value is None:
                document[table].pop(name, None)
            else:
                document[table][name] = value
        else:
            document[key] = value
    make_config(document.unwrap(), str(path))
    temporary = path.with_suffix(".tmp")
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(tomlkit.dumps(document))
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def parse_value(name: str, text: str) -> Any:
    """A setting's value from the command line, in the setting's type."""
    types = {f.name: f.type for f in fields(Config)}
    kind = types.get(name)
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if "." in name:
        try:
            return tomlkit.value(text).unwrap()
        except (ParseError, ValueError):
            return text
    try:
        return {"int": int, "float": float}.get(str(kind), str)(text)
    except ValueError:
        raise ConfigError(f"{name} must be a number, not {text!r}.") from None
