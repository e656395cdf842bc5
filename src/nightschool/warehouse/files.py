"""Large things as files named by the sha256 of what is in them: weights, drawings, sounds."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from nightschool.faults import reach
from nightschool.types import WarehouseError
from nightschool.warehouse import disk
from nightschool.warehouse.codec import canonical, sha256

_NAME = re.compile(r"[0-9a-f]{64}")


def file_sha256(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(folder: Path) -> str:
    """The sha256 over the sorted (relative name, sha256) of every file in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listed = sorted((path.relative_to(folder).as_posix(), file_sha256(path)) for path in files)
    return sha256(canonical(listed).encode())


class Files:
    """The folders `weights` and `blobs` of a school."""

    def __init__(self, school: Path) -> None:
        self.weights = school / "weights"
        self.blobs = school / "blobs"

    def put_blob(self, data: bytes) -> str:
        """Keep bytes; returns their sha256."""
        name = sha256(data)
        if (self.blobs / name).exists():
            self.touch_blob(name)
        else:
            disk.write(self.blobs / name, data)
        reach("blob.written")
        return name

    def touch_blob(self, name: str) -> None:
        """Make a blob young: collect_garbage spares it until a record names it."""
        os.utime(self._blob_path(name))

    def blob(self, name: str) -> bytes:
        """The bytes with that sha256; raises WarehouseError when they are not there."""
        return self._blob_path(name).read_bytes()

    def _blob_path(self, name: str) -> Path:
        path = self.blobs / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise WarehouseError(
                f"The warehouse has no blob {name!r}; restore it from a backup "
                "(`nightschool doctor` lists what is missing)."
            )
        return path

    def save(self, fill: Callable[[Path], None]) -> str:
        """Let `fill` write weights into an empty folder, and keep that folder by its hash."""
        new = disk.temporary(self.weights)
        new.mkdir()
        fill(new)
        disk.sync_tree(new)
        name = folder_sha256(new)
        reach("weights.written")
        disk.put(new, self.weights / name)
        reach("weights.renamed")
        return name

    def put_folder(self, folder: Path) -> str:
        """Keep a copy of a folder of weights; returns the sha256 over its files."""
        if not folder.is_dir():
            raise WarehouseError(f"{folder} is not a folder; name one that holds a saved model.")
        return self.save(lambda new: _copy_into(folder, new))

    def folder(self, name: str) -> Path:
        """The weights with that hash; raises WarehouseError when they are not there."""
        path = self.weights / name
        if not name or not path.is_dir():
            raise WarehouseError(
                f"The weights {name[:12] or '(none)'} are not in {self.weights}: "
                "`nightschool doctor --collect-garbage` deleted them or the folder was moved; "
                "restore them from a backup, or compile the model again with "
                "`nightschool night --rebuild`."
            )
        return path


def _copy_into(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
