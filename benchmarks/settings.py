"""Settings of a benchmark, kept beside its runs: runs of different ones are never mixed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def same(folder: Path, settings: Mapping[str, object], *, keep: bool = True) -> None:
    """Exits, naming what differs, where the runs in a folder were made with other settings.

    Written there (if `keep`) where no run has said yet. Values are JSON's own.
    """
    path = folder / "settings.json"
    if not path.exists():
        if keep:
            part = path.with_suffix(".part")
            part.write_text(json.dumps(settings, indent=2) + "\n")
            part.rename(path)
        return
    before = json.loads(path.read_text())
    told = [
        f"{name} {before.get(name)!r}, not {settings.get(name)!r}"
        for name in sorted({*before, *settings})
        if before.get(name) != settings.get(name)
    ]
    if told:
        raise SystemExit(
            f"The runs in {folder} were made with {'; '.join(told)}: give the same settings, or "
            "another --out."
        )
