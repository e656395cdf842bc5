from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nightschool.types import LockedError, WarehouseError
from nightschool.warehouse import Warehouse, disk, locks
from nightschool.warehouse.locks import FileLock


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "FUSE.s3fs"])
def test_network_file_systems_are_refused(tmp_path: Path, kind: str) -> None:
    mounted = [("/", "ext4"), (str(tmp_path), kind)]
    with pytest.raises(WarehouseError, match=r"network file system .*local disk"):
        Warehouse.create(tmp_path / "school", mounted=mounted)
    assert not (tmp_path / "school").exists()


@pytest.mark.parametrize("kind", ["ext4", "overlay", "fuseblk", "fuse.fuse-overlayfs", "apfs"])
def test_local_ones_are_not_even_below_a_network_mount(tmp_path: Path, kind: str) -> None:
    disk.refuse_network(tmp_path / "a", [("/", "nfs4"), (str(tmp_path), kind)])
    disk.refuse_network(tmp_path, [("/elsewhere", "nfs4")])
    disk.refuse_network(tmp_path, disk.mounts())


def test_a_full_disk_is_an_error_with_both_numbers(warehouse: Warehouse) -> None:
    warehouse.need_space(10, free=lambda _: 10)
    with pytest.raises(WarehouseError, match=r"has 1\.5 KiB free, and 3\.0 GiB are needed"):
        warehouse.need_space(3 * 1024**3, free=lambda _: 1536)


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    disk.write(tmp_path / "a", b"one")
    disk.write(tmp_path / "a", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"two"


def test_one_server_per_school_and_the_error_names_its_process(warehouse: Warehouse) -> None:
    with (
        warehouse.serve_lock(),
        pytest.raises(LockedError, match=f"being served .*process {os.getpid()}"),
        warehouse.serve_lock(),
    ):
        pass
    with warehouse.serve_lock():
        pass


def test_a_lock_ends_with_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"
    code = (
        "import fcntl, os, sys, time; d = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT);"
        "fcntl.flock(d, fcntl.LOCK_EX); os.write(d, str(os.getpid()).encode());"
        "print(flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()
    with pytest.raises(LockedError, match=str(other.pid)):
        FileLock(path, "Busy").acquire()
    other.kill()
    other.communicate()
    seen = os.open(path, os.O_RDONLY)
    fcntl.flock(seen, fcntl.LOCK_SH)  # somebody looks whether it is held, and lets go
    monkeypatch.setattr(locks.time, "sleep", lambda after: os.close(seen) if after else None)
    with FileLock(path, "Busy"):
        assert path.read_text().strip() == str(os.getpid())
