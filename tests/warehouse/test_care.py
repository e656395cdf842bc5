from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from nightschool.types import Decision, Document, LockedError, WarehouseError
from nightschool.warehouse import Warehouse
from nightschool.warehouse.locks import FileLock
from tests.warehouse.helpers import RECIPE, Toy, answer, break_night, example, one_night


def study(warehouse: Warehouse, nights: int, promote: tuple[int, ...] = ()) -> None:
    for number in range(1, nights + 1):
        decision = Decision.PROMOTE if number in promote else Decision.KEEP
        one_night(warehouse, [example(f"e{i}") for i in range(number)], decision)


def kept(warehouse: Warehouse) -> list[str]:
    weights = {path.name for path in (warehouse.folder / "weights").iterdir()}
    return [v.id for v in warehouse.versions() if v.weights in weights]


def test_create_and_open(folder: Path, warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="is a school already"):
        Warehouse.create(folder)
    with pytest.raises(WarehouseError, match="is not a school"):
        Warehouse.open(folder / "nowhere")
    (folder.parent / "half").mkdir()
    (folder.parent / "half" / "school.db").touch()
    with pytest.raises(WarehouseError, match="never finished"):
        Warehouse.open(folder.parent / "half")
    Warehouse.create(folder.parent / "half").close()
    with Warehouse.open(folder) as other:
        assert other.meta("seed") == "7"
        assert other.meta("created") == "0.0"
        assert other.meta("nothing") is None
        other.set_meta("key", "a")
        other.set_meta("key", "b")
    assert warehouse.meta("key") == "b"


def test_blobs(warehouse: Warehouse) -> None:
    name = warehouse.put_blob(b"a drawing")
    assert warehouse.put_blob(b"a drawing") == name
    assert warehouse.blob(name) == b"a drawing"
    for wrong in ("0" * 64, "../school.db", ""):
        with pytest.raises(WarehouseError, match="no blob"):
            warehouse.blob(wrong)


def test_verify_finds_what_is_missing_or_damaged(warehouse: Warehouse) -> None:
    blob = warehouse.put_blob(b"a drawing")
    question = warehouse.queue()[0].id
    drawn = answer("a", question)
    object.__setattr__(drawn, "document", Document("{}", "drawing", {"png": blob}))
    warehouse.keep(drawn)
    study(warehouse, 2, promote=(1,))
    assert warehouse.verify() == []
    folder = warehouse.folder
    manifest = warehouse.manifest(warehouse.champion().manifest)
    segment = folder / "segments" / f"{manifest.segments[-1].sha256}.parquet"
    damaged = {
        folder / "blobs" / blob: "sha256",
        folder / "manifests" / f"{manifest.hash}.json": "sha256",
        segment: "sha256",
        warehouse.weights_path(warehouse.champion()) / "config.json": "weights of v1 were changed",
    }
    for path, complaint in damaged.items():
        whole = path.read_bytes()
        path.write_bytes(whole + b" ")
        [problem] = warehouse.verify()
        assert complaint in problem
        path.unlink()
        [problem] = warehouse.verify()
        assert "missing" in problem or "changed" in problem
        path.write_bytes(whole)
    champion = warehouse.weights_path(warehouse.champion())
    champion.rename(folder / "away")
    [problem] = warehouse.verify()
    assert "weights of v1 are missing" in problem
    (folder / "away").rename(champion)
    warehouse._log.write(lambda c: c.execute(text("UPDATE manifests SET body = body || ' '")))
    assert any("does not have its own hash" in problem for problem in warehouse.verify())


def test_a_backup_is_whole_while_the_school_goes_on(warehouse: Warehouse, tmp_path: Path) -> None:
    study(warehouse, 2, promote=(2,))
    warehouse.put_blob(b"named by nobody")
    question = warehouse.queue()[0].id
    stop = threading.Event()

    def go_on() -> None:
        i = 0
        while not stop.is_set():
            warehouse.keep(answer(f"x{i}", question))
            i += 1

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        (tmp_path / "empty").mkdir()
        warehouse.backup(tmp_path / "empty")
        warehouse.backup(tmp_path / "deep" / "copy")
    finally:
        stop.set()
        thread.join()
    study_before = warehouse.versions()
    for name in ("empty", "deep/copy"):
        with Warehouse.open(tmp_path / name) as copy:
            assert copy.verify() == []
            assert copy.versions() == study_before
            assert copy.champion() == warehouse.champion()
            assert list((copy.folder / "blobs").iterdir()) == []
            _, version = one_night(copy, [example(f"e{i}") for i in range(5)])
            assert version.id == "v3"
    with pytest.raises(WarehouseError, match="not empty"):
        warehouse.backup(tmp_path / "deep" / "copy")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["copy"]


def test_a_backup_keeps_blobs_that_an_answer_or_the_original_names(
    folder: Path, tmp_path: Path
) -> None:
    with Warehouse.create(folder) as warehouse:
        blob = warehouse.put_blob(b"an original drawing")
        document = Document("{}", "drawing", {"png": blob})
        manifest = warehouse.seal_original([document, Document("text")], "drawings")
        warehouse.add_base(Toy("base"), RECIPE, manifest, 0)  # type: ignore[arg-type]
        warehouse.backup(tmp_path / "copy")
        warehouse.collect_garbage(young=-10)
        assert warehouse.blob(blob) == b"an original drawing"
    with Warehouse.open(tmp_path / "copy") as copy:
        assert copy.blob(blob) == b"an original drawing"


def test_a_failed_backup_leaves_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    champion = warehouse.manifest(warehouse.champion().manifest)
    (warehouse.folder / "manifests" / f"{champion.hash}.json").unlink()
    with pytest.raises(FileNotFoundError):
        warehouse.backup(tmp_path / "backups" / "copy")
    assert list((tmp_path / "backups").iterdir()) == []


def test_garbage_is_what_no_record_needs(warehouse: Warehouse) -> None:
    study(warehouse, 11, promote=(2,))
    assert len(kept(warehouse)) == 12
    folder = warehouse.folder
    for place in ("weights/.new-1", "nights/3"):
        (folder / place).mkdir()
        (folder / place / "x").write_bytes(b"x" * 1000)
    for place in ("segments/.new-2", "segments/orphan.parquet", "manifests/orphan.json"):
        (folder / place).write_bytes(b"x" * 1000)
    (folder / "weights" / ("0" * 64)).mkdir()
    blob = warehouse.put_blob(b"young")
    segments = {s.sha256 for m in warehouse.manifests() for s in m.segments}
    freed = warehouse.collect_garbage()
    assert kept(warehouse) == ["v0", "v2", "v5", "v6", "v7", "v8", "v9", "v10", "v11"]
    assert freed > 5000
    assert {path.stem for path in (folder / "segments").iterdir()} == segments
    assert len(list((folder / "weights").iterdir())) == 9
    assert list((folder / "nights").iterdir()) == []
    assert warehouse.blob(blob) == b"young"
    assert warehouse.collect_garbage() == 0
    assert warehouse.collect_garbage(young=-10) == 5
    assert warehouse.verify() == []
    with pytest.raises(WarehouseError, match="collect-garbage"):
        warehouse.weights_path(warehouse.version("v1"))


def test_garbage_collection_spares_a_broken_night(warehouse: Warehouse) -> None:
    night, manifest = break_night(warehouse, lambda night: night.seal([example("e")]))
    (night.workspace / "checkpoint").write_text("half")
    warehouse.collect_garbage()
    with warehouse.begin_night() as night:
        assert (night.workspace / "checkpoint").exists()
        assert [e.id for e in night.dataset(manifest).new] == ["e"]
    assert warehouse.verify() == []


def test_backup_and_clean_up_exclude_each_other(warehouse: Warehouse, tmp_path: Path) -> None:
    with FileLock(warehouse.folder / "care.lock", "A backup or a clean-up is running"):
        with pytest.raises(LockedError, match="clean-up"):
            warehouse.collect_garbage()
        with pytest.raises(LockedError, match="backup"):
            warehouse.backup(tmp_path / "copy")


def test_manifests_are_plain_json(warehouse: Warehouse) -> None:
    manifest = warehouse.manifest(warehouse.champion().manifest)
    path = warehouse.folder / "manifests" / f"{manifest.hash}.json"
    body = json.loads(path.read_text())
    assert body["segments"][0]["role"] == "original"
    assert path.read_text() == json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
