"""The disk: files that appear whole or not at all, space, and which file systems are refused."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from nightschool.faults import reach
from nightschool.types import WarehouseError

NEW = ".new-"
"""Files and folders whose name begins so are not finished; garbage when nobody writes them."""

_NETWORK = re.compile(
    r"(fuse\.)?(9p|afpfs|afs|beegfs|ceph|cifs|davfs|gcsfuse|glusterfs|gpfs|lustre|ncpfs|nfs\d?"
    r"|rclone|s3fs|smb\d?|smbfs|sshfs|vboxsf|webdav)"
)

Mounts = Iterable[tuple[str, str]]
"""Mount points with the type of their file system."""


def mounts() -> Mounts:
    """What is mounted on this computer."""
    return [(part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True)]


def refuse_network(folder: Path, mounted: Mounts) -> None:
    """Raise WarehouseError when the folder is on a network file system.

    Locks and fsync do not keep their promise there, and a school would lose answers.
    """
    path = folder.resolve()
    here = [(Path(m), kind) for m, kind in mounted if path.is_relative_to(m)]
    if not here:
        return
    where, kind = max(here, key=lambda mount: len(mount[0].parts))
    if _NETWORK.fullmatch(kind.lower()):
        raise WarehouseError(
            f"{path} is on a network file system ({kind}, mounted at {where}), where locks and "
            "fsync cannot be trusted; put the school on a local disk, and back it up to this one."
        )


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk that holds the folder."""
    return shutil.disk_usage(folder).free


def need_space(folder: Path, needed: int, free: Callable[[Path], int] = free_bytes) -> None:
    """Raise WarehouseError when the disk has fewer than `needed` bytes free."""
    present = free(folder)
    if present < needed:
        raise WarehouseError(
            f"The disk of {folder} has {size(present)} free, and {size(needed)} are needed; "
            "make room, for example with `nightschool doctor --collect-garbage`."
        )


def size(count: float) -> str:
    """A number of bytes as people read it."""
    if abs(count) < 1024:
        return f"{int(count)} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if abs(count) < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} TiB"


def temporary(folder: Path) -> Path:
    """A fresh name in the folder for something that is not finished."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{NEW}{os.getpid()}-{uuid.uuid4().hex}"


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Wait until everything in a folder is on the disk."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def put(source: Path, target: Path) -> None:
    """Give a finished, synced file or folder its name for ever; one that is there already wins."""
    if target.exists():
        remove(source)
        return
    source.rename(target)
    sync(target.parent)


def write(target: Path, data: bytes) -> None:
    """Write a whole file: after a power cut it is there complete, or not at all."""
    new = temporary(target.parent)
    with new.open("wb") as file:
        file.write(data[: len(data) // 2])
        reach("file.writing")
        file.write(data[len(data) // 2 :])
        file.flush()
        os.fsync(file.fileno())
    new.replace(target)
    sync(target.parent)


def weigh(path: Path) -> int:
    """The bytes of a file, or of all files in a folder; 0 when it is not there."""
    if path.is_dir():
        return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    return path.stat().st_size if path.exists() else 0


def remove(path: Path) -> int:
    """Delete a file or a folder; returns the bytes it held."""
    freed = weigh(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    return freed
