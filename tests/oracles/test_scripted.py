from __future__ import annotations

import json

import pytest

from nightschool.oracles.scripted import scripted
from nightschool.starter.oracle import ArithmeticOracle
from nightschool.testing import check_oracle
from nightschool.types import Context, Partition, PoolError, Question, Reply


def ask(text):
    return Question(text, Context.of(text), Partition.TRAINING, "random", 0.0, "v0", 1, 0)


def test_a_script_answers_what_it_holds_and_cannot_tell_the_rest(tmp_path):
    file = tmp_path / "answers.jsonl"
    file.write_text('{"context": "The sky is", "answer": "blue"}\n')
    oracle = scripted(str(file), "bo")
    check_oracle(oracle, [ask("The sky is"), ask("His hat is")])
    assert oracle.answer(ask("the  sky is")).document.body == "blue"
    assert oracle.answer(ask("His hat is")).reply is Reply.CANT_TELL


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_a_newline_ends_a_line(tmp_path, end):
    file = tmp_path / "answers.jsonl"
    rows = [("The sky\u2028is", "blue\u0085"), ("His hat is", "red\u2029")]
    lines = [json.dumps({"context": c, "answer": a}, ensure_ascii=False) + end for c, a in rows]
    file.write_bytes("".join(lines).encode())
    oracle = scripted(str(file))
    for context, answer in rows:
        assert oracle.answer(ask(context)).document.body == answer


def test_a_broken_script_names_its_line(tmp_path):
    file = tmp_path / "answers.jsonl"
    file.write_text('{"context": "The sky is", "answer": "blue"}\n{"context": 3}\n')
    with pytest.raises(PoolError, match="line 2"):
        scripted(str(file))


def test_the_simulated_teacher_conforms_and_knows_the_seed_question():
    seed = "Jane has eight apples. Charlie ate half of her apples. Now Jane has"
    oracle = ArithmeticOracle()
    check_oracle(oracle, [ask(seed), ask("His hat is"), ask("")])
    assert oracle.answer(ask(seed)).document.body == "four"
    assert oracle.answer(ask(seed)).seconds > 0
