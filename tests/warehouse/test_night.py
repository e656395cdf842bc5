from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from nightschool.types import (
    Decision,
    LockedError,
    Look,
    Night,
    Partition,
    Recipe,
    Version,
    WarehouseError,
)
from nightschool.warehouse import StoredNight, Warehouse
from tests.warehouse.helpers import (
    Toy,
    answer,
    break_night,
    contexts,
    example,
    one_night,
    picks,
    result,
    undo,
    verdict,
)

_: type[Night] = StoredNight


def test_a_whole_night(warehouse: Warehouse) -> None:
    manifest, version = one_night(warehouse, [example("e")], now=2.5 * 86_400)
    assert warehouse.champion() == warehouse.trainee() == version
    assert (version.id, version.parent, version.night) == ("v1", "v0", 1)
    assert version.manifest == manifest.hash
    [night] = warehouse.nights()
    assert (night.number, night.day, night.seed) == (1, 2, version.seed)
    assert (night.finished, night.error) == (2.5 * 86_400, None)
    assert not (warehouse.folder / "nights" / "1").exists()
    assert [s.name for s in warehouse.spans(1)] == ["seal", "store", "keep", "post"]
    assert [q.version for q in warehouse.queue()] == ["v1"] * 5
    assert [q.night for q in warehouse.queue()] == [1] * 5
    reign = warehouse.champions()[-1]
    assert (reign.by, reign.night, reign.reason) == ("gate", 1, "seen")
    assert warehouse.verify() == []


def test_seeds_come_from_the_schools_seed_and_the_number(tmp_path: Path) -> None:
    seeds = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        with Warehouse.create(tmp_path / name, seed=seed) as warehouse:
            for _ in range(2):
                with warehouse.begin_night() as night:
                    seeds.append(night.seed)
    assert seeds[:2] == seeds[2:4]
    assert len(set(seeds)) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_only_one_night_at_a_time_and_the_error_names_the_process(warehouse: Warehouse) -> None:
    with warehouse.begin_night():
        with pytest.raises(LockedError, match=f"night is running .*process {os.getpid()} "):
            warehouse.begin_night()
        with pytest.raises(LockedError):
            warehouse.collect_garbage()
    with warehouse.begin_night() as night:
        assert night.number == 2


def test_a_broken_night_is_resumed_as_it_was_begun(warehouse: Warehouse) -> None:
    first, second, *_ = (question.id for question in warehouse.queue())
    warehouse.keep(answer("a", first))
    night, _ = break_night(
        warehouse,
        lambda night: (night.workspace / "checkpoint").write_text("half"),
        rebuild=True,
        now=0,
    )
    [broken] = warehouse.nights()
    assert (broken.finished, broken.error) == (None, "ZeroDivisionError: boom")
    warehouse.keep(answer("b", second))
    warehouse.retract(undo("r", "a"))
    with warehouse.begin_night(now=86_400 * 3) as again:
        assert (again.number, again.day, again.seed) == (1, 0, night.seed)
        assert again.rebuild
        assert (again.workspace / "checkpoint").read_text() == "half"
        assert [q.answers[0].id for q in again.answers(Partition.TRAINING)] == ["a"]
    [finished] = warehouse.nights()
    assert finished.error is None
    assert finished.finished is not None
    with warehouse.begin_night(date="2026-01-02") as night:
        assert night.number == 2
        assert [q.answers[0].id for q in night.answers(Partition.TRAINING)] == ["b"]
    assert warehouse.nights()[1].date == "2026-01-02"


def test_sealing_the_same_examples_is_no_new_manifest_and_no_new_version(
    warehouse: Warehouse,
) -> None:
    examples = [example("e"), example("f")]
    manifest, version = one_night(warehouse, examples)
    files = set((warehouse.folder / "segments").iterdir())
    same, unchanged = one_night(warehouse, examples[::-1], Decision.KEEP)
    assert same == manifest
    assert unchanged == version
    assert len(warehouse.versions()) == 2
    assert set((warehouse.folder / "segments").iterdir()) == files
    with warehouse.begin_night() as night:
        assert night.dataset(night.seal(examples)).new == []
        other = Toy("other code")
        other.recipe = Recipe("toy", {"rate": 0.2})
        stored = night.store(other, night.trainee(), manifest)  # type: ignore[arg-type]
        assert stored.id == "v2"


def test_each_night_writes_only_what_is_new_and_excludes_what_is_gone(
    warehouse: Warehouse,
) -> None:
    one, _ = one_night(warehouse, [example("e"), example("f")])
    two, _ = one_night(warehouse, [example("f"), example("g"), example("g")])
    three, _ = one_night(warehouse, [example("e"), example("f")])
    assert [s.rows for s in two.segments] == [50, 2, 1]
    assert two.segments[:2] == one.segments
    assert (one.excluded, two.excluded, three.excluded) == ((), ("e",), ("g",))
    assert three.segments == two.segments
    assert len({one.hash, two.hash, three.hash}) == 3


def test_sealing_is_recorded_so_that_a_resumed_night_seals_the_same(warehouse: Warehouse) -> None:
    _, manifest = break_night(warehouse, lambda night: night.seal([example("e")]))
    with warehouse.begin_night() as night:
        assert night.seal([example("e"), example("f")]) == manifest


def test_a_night_that_ends_without_a_version_loses_no_example(warehouse: Warehouse) -> None:
    with warehouse.begin_night() as night:
        night.seal([example("e")])
    with warehouse.begin_night() as night:
        manifest = night.seal([example("e"), example("f")])
        assert [e.id for e in night.dataset(manifest).new] == ["e", "f"]


def test_a_rebuild_begins_at_number_0_on_the_whole_manifest(warehouse: Warehouse) -> None:
    one_night(warehouse, [example("e")])
    one_night(warehouse, [example("e"), example("f")])
    with warehouse.begin_night(rebuild=True) as night:
        assert night.trainee().id == "v0"
        manifest = night.seal([example("e"), example("f")])
        assert manifest.hash == warehouse.trainee().manifest
        dataset = night.dataset(manifest)
        assert [e.id for e in dataset.new] == ["e", "f"]
        assert dataset.earlier(9, seed=0) == []
        version = night.store(Toy("rebuilt"), night.trainee(), manifest)  # type: ignore[arg-type]
        assert (version.id, version.parent) == ("v3", "v0")
        night.keep(version, [], verdict(3, "v2", "v3"))
        assert night.trainee() == version
    assert warehouse.champion() == version


def test_keeping_twice_changes_nothing_and_another_verdict_is_refused(
    warehouse: Warehouse,
) -> None:
    with warehouse.begin_night() as night:
        assert night.verdict() is None
        manifest = night.seal([example("e")])
        version = night.store(Toy("a"), night.trainee(), manifest)  # type: ignore[arg-type]
        assert warehouse.versions()[-1].id == "v0"  # the log learns of it in `keep`
        look = Look(1, 0, 20, 0.01, True, "v0", "v1")
        decided = dataclasses.replace(verdict(1, "v0", "v1"), look=look)
        for _ in range(2):
            night.keep(version, [result("v0"), result("v1")], decided)
        found = night.verdict()
        assert found is not None
        assert found.serves == "v1"
        assert night.looks() == [look]
        assert night.trainee() == night.champion() == version
        assert night.previous() == warehouse.version("v0")
        assert night.store(Toy("b"), night.trainee(), manifest) == version  # type: ignore[arg-type]
        with pytest.raises(WarehouseError, match="verdict already"):
            night.keep(version, [], verdict(1, "v0", "v1", Decision.KEEP))
        with pytest.raises(WarehouseError, match="verdict of night 2"):
            night.keep(version, [], verdict(2, "v1", "v1"))
    assert [r.version for r in warehouse.champions()] == ["v0", "v1"]
    assert len(warehouse.results()) == 2


def test_nothing_of_a_verdict_is_kept_when_a_part_fails(warehouse: Warehouse) -> None:
    with warehouse.begin_night() as night:
        manifest = night.seal([example("e")])
        version = night.store(Toy("a"), night.trainee(), manifest)  # type: ignore[arg-type]
        wrong = dataclasses.replace(verdict(1, "v0", "v1"), serves="v9")
        with pytest.raises(WarehouseError, match="v9"):
            night.keep(version, [result("v1")], wrong)
        assert night.verdict() is None
        assert warehouse.results() == []
        assert [v.id for v in warehouse.versions()] == ["v0"]
        lost = dataclasses.replace(version, weights="0" * 64)
        with pytest.raises(WarehouseError, match="weights 000000000000"):
            night.keep(lost, [], verdict(1, "v0", "v1"))
        skipping = dataclasses.replace(version, id="v5", number=5)
        with pytest.raises(WarehouseError, match="the next is 1"):
            night.keep(skipping, [], verdict(1, "v0", "v5"))


def test_a_champion_chosen_by_hand_during_the_night_is_not_overruled(
    warehouse: Warehouse,
) -> None:
    one_night(warehouse, [example("e")])

    def work(night: StoredNight) -> Version:
        manifest = night.seal([example("f")])
        version = night.store(Toy("b"), night.trainee(), manifest)  # type: ignore[arg-type]
        warehouse.rollback("anna", "it swears")
        with pytest.raises(WarehouseError, match="v0 serve while night 2"):
            night.keep(version, [], verdict(2, "v1", "v2"))
        return version

    _, version = break_night(warehouse, work)
    assert warehouse.champion().id == "v0"
    with warehouse.begin_night() as night:
        assert night.number == 2
        night.keep(version, [], verdict(2, night.champion().id, "v2"))
    assert warehouse.champion().id == "v2"


def test_the_gate_rolls_back_to_the_champion_before(warehouse: Warehouse) -> None:
    one_night(warehouse, [example("e")])
    with warehouse.begin_night() as night:
        manifest = night.seal([example("e"), example("f")])
        version = night.store(Toy("b"), night.trainee(), manifest)  # type: ignore[arg-type]
        back = dataclasses.replace(verdict(2, "v1", "v2", Decision.ROLL_BACK), serves="v0")
        night.keep(version, [], back)
        assert night.champion().id == "v0"
        assert night.previous() is None
        assert night.trainee().id == "v2"


def test_the_pool_is_what_nobody_replied_to_and_asked_is_in_order(warehouse: Warehouse) -> None:
    one, two, three, *_ = warehouse.queue()
    for i, question in enumerate((three, one, two, one)):
        warehouse.keep(answer(f"a{i}", question.id, f"p{i}"))
    with warehouse.begin_night() as night:
        assert {c.id for c in night.asked(9)} == {c.context.id for c in (one, two, three)}
        assert len(night.pool(Partition.TRAINING, 99, 1)) == 7
        assert len(night.pool(Partition.EXAM, 99, 1)) == 10


def test_a_step_that_fails_is_in_the_ledger_too(warehouse: Warehouse) -> None:
    with pytest.raises(KeyError), warehouse.begin_night() as night, night.step("fit"):
        raise KeyError
    assert [s.name for s in warehouse.spans(1)] == ["fit"]


def test_a_night_posts_the_same_questions_when_it_is_repeated(warehouse: Warehouse) -> None:
    version = warehouse.champion()
    break_night(warehouse, lambda night: night.post(picks(contexts(10)[5:]), version), now=0)
    before = warehouse.queue()
    with warehouse.begin_night(now=0) as night:
        night.post(picks(contexts(10)[5:]), version)
    assert warehouse.queue() == before
    assert len(before) == 5
