from __future__ import annotations

import json

from nightschool.app import School

from ..app.test_school import reply
from .test_cli import ok, refused


def test_gold_is_brought_and_listed(school_folder, tmp_path):
    assert "bring some with `nightschool gold add FILE`" in ok("gold", "list", folder=school_folder)
    file = tmp_path / "gold.jsonl"
    rows = [{"context": f"{n} is a", "answers": ["number", "count"]} for n in range(3)]
    file.write_text("\n".join(map(json.dumps, rows)))
    told = ok("gold", "add", file, folder=school_folder)
    assert f"3 gold questions from {file}; the school now has 3. About 5%" in told
    assert "'1 is a': number | count" in ok("gold", "list", folder=school_folder).splitlines()
    listed = json.loads(ok("gold", "list", "--json", folder=school_folder))
    assert {"context": "2 is a", "answers": ["number", "count"]} in listed
    with School.open(school_folder) as school:
        assert school.warehouse.audit.entries(1)[0].person == "terminal"
    assert "no such exam file" in refused(
        "gold", "add", tmp_path / "no.jsonl", folder=school_folder
    )


def test_figures_are_a_table_of_people(school_folder):
    assert ok("figures", folder=school_folder) == "Nobody has answered yet.\n"
    with School.open(school_folder) as school:
        for person in ("anna", "anna", "[red]bert"):
            school.keep(reply(school.next_question(person), person=person, seconds=4.0))
    head, *rows = ok("figures", folder=school_folder).splitlines()
    assert head.split()[:5] == ["who", "answers", "seconds", "agreement", "gold"]
    assert ["anna", "2", "4.0"] in [row.split()[:3] for row in rows]
    told = json.loads(ok("figures", "--json", folder=school_folder))
    assert {each["person"]: each["answers"] for each in told} == {"anna": 2, "[red]bert": 1}
