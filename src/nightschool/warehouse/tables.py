"""The log's tables as SQLAlchemy sees them; `migrations` makes them, a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

_SERIAL = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

people = Table(
    "people",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

contexts = Table(
    "contexts",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("blobs", Text),
    Column("source", Text, nullable=False),
    Column("grp", Text, nullable=False),
    Column("partition", Text, nullable=False),
)

questions = Table(
    "questions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("context_id", BigInteger, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("score", Double, nullable=False),
    Column("version", Text, nullable=False),
    Column("night", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("queued", Boolean, nullable=False),
    Column("spare", Boolean, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("guess", Text, nullable=False),
)

leases = Table(
    "leases",
    METADATA,
    Column("question_id", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("until", Double, nullable=False),
)

answers = Table(
    "answers",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("question_id", Text, nullable=False),
    Column("context_id", BigInteger, nullable=False),
    Column("person", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("kind", Text),
    Column("body", Text),
    Column("blobs", Text),
    Column("seconds", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("note", Text, nullable=False),
    Column("settles", Boolean, nullable=False),
)

retractions = Table(
    "retractions",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("answer_id", Text, nullable=False, unique=True),
    Column("person", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("reason", Text, nullable=False),
)

manifests = Table(
    "manifests",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("night", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

nights = Table(
    "nights",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False),
    Column("date", Text),
    Column("seed", BigInteger, nullable=False),
    Column("rebuild", Boolean, nullable=False),
    Column("answer_mark", BigInteger, nullable=False),
    Column("retraction_mark", BigInteger, nullable=False),
    Column("manifest", Text),
    Column("started", Double, nullable=False),
    Column("finished", Double),
    Column("error", Text),
)

versions = Table(
    "versions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("parent", Text, nullable=False),
    Column("recipe", Text, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("weights", Text, nullable=False),
    Column("night", Integer, nullable=False),
)

champions = Table(
    "champions",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("version", Text, nullable=False),
    Column("night", Integer, nullable=False),
    Column("person", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Double, nullable=False),
)

results = Table(
    "results",
    METADATA,
    Column("night", Integer, primary_key=True, autoincrement=False),
    Column("version", Text, primary_key=True),
    Column("bank", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

verdicts = Table(
    "verdicts",
    METADATA,
    Column("night", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

spans = Table(
    "spans",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("night", Integer, nullable=False),
)

accounts = Table(
    "accounts",
    METADATA,
    Column("person", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("disabled", Double),
)

invitations = Table(
    "invitations",
    METADATA,
    Column("token", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("used", Double),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("token", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("until", Double, nullable=False),
)

tokens = Table(
    "tokens",
    METADATA,
    Column("token", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("until", Double),
)

audit = Table(
    "audit",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("person", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

gold = Table(
    "gold",
    METADATA,
    Column("context_id", BigInteger, primary_key=True, autoincrement=False),
    Column("accepted", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Double, nullable=False),
)

erasures = Table(
    "erasures",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("person", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("segments", Text, nullable=False),
    Column("versions", Text, nullable=False),
    Column("blobs", Text, nullable=False),
    Column("finished", Double),
)

timelines = Table(
    "timelines",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("process", Text, nullable=False),
    Column("night", Integer, nullable=False),
    Column("began", Double, nullable=False),
    Column("wall", Double, nullable=False),
    Column("parts", Text, nullable=False),
    Column("open", Boolean, nullable=False),
)

deliveries = Table(
    "deliveries",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("hook", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", Double, nullable=False),
    Column("done", Double),
    Column("error", Text, nullable=False),
    UniqueConstraint("hook", "id"),
)
