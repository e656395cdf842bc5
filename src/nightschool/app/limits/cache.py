"""What was measured at some cost, kept in the school's folder; safe to lose."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

FOLDER = "limits"


class Cache:
    """JSON files by the hash of what they depend on, in a folder of the school."""

    def __init__(self, school: Path) -> None:
        self.folder = school / FOLDER

    def find(self, name: str, facts: object) -> Any | None:
        """What was kept under that name for exactly these facts; None when nothing was."""
        try:
            return json.loads(self._path(name, facts).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def keep(self, name: str, facts: object, value: Any) -> None:
        """Keep a value for these facts; the file appears whole or not at all."""
        self.folder.mkdir(exist_ok=True)
        path = self._path(name, facts)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(value), encoding="utf-8")
        os.replace(temporary, path)

    def _path(self, name: str, facts: object) -> Path:
        digest = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
        return self.folder / f"{name}-{digest}.json"
