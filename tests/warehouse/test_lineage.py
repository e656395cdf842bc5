from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from nightschool.types import Decision, Look, Recipe, Verdict, WarehouseError
from nightschool.warehouse import Warehouse
from nightschool.warehouse.codec import pack_verdict, unpack_verdict
from nightschool.warehouse.lineage import succession
from tests.warehouse.helpers import RECIPE, Toy, example, one_night, verdict


def test_the_base_is_number_0_trainee_and_champion(warehouse: Warehouse) -> None:
    base = warehouse.version("v0")
    assert (base.number, base.parent, base.recipe) == (0, "", RECIPE)
    assert warehouse.champion() == warehouse.trainee() == base
    assert warehouse.versions() == [base]
    assert [reign.version for reign in warehouse.champions()] == ["v0"]
    path = warehouse.weights_path(base)
    assert path.name == base.weights
    assert (path / "deep" / "weights.txt").read_text() == "base"
    with pytest.raises(WarehouseError, match="no version 'v9'"):
        warehouse.version("v9")


def test_bringing_the_same_base_again_is_harmless_another_is_refused(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    base = warehouse.version("v0")
    manifest = warehouse.manifest(base.manifest)
    saved = tmp_path / "saved"
    saved.mkdir()
    Toy("base").save(saved)
    assert warehouse.add_base(saved, RECIPE, manifest, 0) == base
    with pytest.raises(WarehouseError, match="exists already"):
        warehouse.add_base(Toy("other"), RECIPE, manifest, 0)  # type: ignore[arg-type]
    with pytest.raises(WarehouseError, match="exists already"):
        warehouse.add_base(saved, Recipe("other"), manifest, 0)
    assert len(warehouse.champions()) == 1
    with pytest.raises(WarehouseError, match="not a folder"):
        warehouse.add_base(saved / "config.json", RECIPE, manifest, 0)


def test_a_school_without_a_model_says_so(folder: Path) -> None:
    with Warehouse.create(folder) as warehouse:
        for call in (warehouse.champion, warehouse.trainee):
            with pytest.raises(WarehouseError, match="no model yet"):
                call()
        assert warehouse.counts().examples == 0


def test_promote_by_hand_and_roll_back(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="no champion before v0"):
        warehouse.rollback("anna", "why not")
    for i in range(3):
        one_night(warehouse, [example(f"e{j}") for j in range(i + 1)], Decision.KEEP)
    assert warehouse.champion().id == "v0"
    assert warehouse.trainee().id == "v3"
    warehouse.set_champion("v1", "anna", "I like it", now=5)
    warehouse.set_champion("v3", "anna", "better")
    warehouse.set_champion("v3", "anna", "better")
    assert [r.version for r in warehouse.champions()] == ["v0", "v1", "v3"]
    second = warehouse.champions()[1]
    assert (second.by, second.reason, second.at, second.night) == ("anna", "I like it", 5, 0)
    assert warehouse.rollback("anna", "worse").id == "v1"
    assert warehouse.rollback("anna", "worse").id == "v0"  # not v3, which was found worse
    with pytest.raises(WarehouseError, match="before v0"):
        warehouse.rollback("anna", "worse")
    assert [r.version for r in warehouse.champions()] == ["v0", "v1", "v3", "v1", "v0"]
    with pytest.raises(WarehouseError, match="v9"):
        warehouse.set_champion("v9", "anna", "")


def test_a_version_without_weights_cannot_serve(warehouse: Warehouse) -> None:
    _, version = one_night(warehouse, [example("e")], Decision.KEEP)
    path = warehouse.weights_path(version)
    path.rename(path.with_name("away"))
    with pytest.raises(WarehouseError, match="rebuild"):
        warehouse.set_champion("v1", "anna", "")
    assert warehouse.champion().id == "v0"


@pytest.mark.parametrize(
    ("history", "line"),
    [
        ("", ""),
        ("a", "a"),
        ("abc", "abc"),
        ("abcb", "ab"),
        ("abcbd", "abd"),
        ("abca", "a"),
        ("abcbca", "a"),
    ],
)
def test_succession(history: str, line: str) -> None:
    assert "".join(succession(list(history))) == line


def test_a_verdict_comes_back_with_its_nans_and_numpy_evidence(warehouse: Warehouse) -> None:
    np = pytest.importorskip("numpy")
    look = Look(1, 2, 30, 0.01, True, "v0", "v1")
    evidence = {"lost": [], "gain": np.float32(0.5), "n": np.int64(3), "nan": math.nan, "t": (1,)}
    full = dataclasses.replace(verdict(1, "v0", "v1"), look=look, evidence=evidence, p_better=0.03)
    back = unpack_verdict(pack_verdict(full))
    assert math.isnan(back.p_worse)
    assert back.evidence == {"lost": [], "gain": 0.5, "n": 3, "nan": None, "t": [1]}
    same = {name: getattr(full, name) for name in Verdict.__dataclass_fields__}
    for name in ("evidence", "p_worse"):
        del same[name]
    assert {name: getattr(back, name) for name in same} == same
    with pytest.raises(TypeError, match="object"):
        pack_verdict(dataclasses.replace(full, evidence={"x": object()}))


def test_results_by_night_and_by_version(warehouse: Warehouse) -> None:
    one_night(warehouse, [example("e")])
    one_night(warehouse, [example("e"), example("f")])
    assert [r.version for r in warehouse.results()] == ["v0", "v1", "v1", "v2"]
    assert [r.version for r in warehouse.results(night=2)] == ["v1", "v2"]
    [first, second] = warehouse.results(version="v1")
    assert first == second or math.isnan(first.marks[1].value)
    assert first.marks[0].value == 0.25
    assert first.seconds == 1.25
    assert [v.night for v in warehouse.verdicts()] == [1, 2]
