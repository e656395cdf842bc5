from __future__ import annotations

import json
import math
import uuid

import pytest

from nightschool.app import School
from nightschool.app.again import STRATEGY as AGAIN
from nightschool.app.init import init_school
from nightschool.app.limits import (
    Wanted,
    bound_of,
    learning_curve,
    measure_larger,
    measure_stability,
    measure_twin,
    report,
)
from nightschool.app.tasks.classification import ClassificationTask
from nightschool.loop import teach
from nightschool.oracles import ScriptedOracle
from nightschool.types import (
    Answer,
    ConfigError,
    Context,
    Document,
    Partition,
    Pick,
    Reply,
)

from ..conftest import make_school, world


def quiet(name):
    return lambda done, total: None


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A school of four nights, with a test file beside its bank."""
    folder = make_school(tmp_path_factory.mktemp("limits") / "school", questions=16)
    oracle = ScriptedOracle({Context.of(c).id: a for c, a, _ in world(300, 0)}, seconds=2.0)
    with School.open(folder) as school:
        for _ in range(4):
            teach(school, oracle, 16)
            school.night()
    return folder


@pytest.fixture
def school(taught):
    with School.open(taught) as found:
        yield found


def everything(school):
    """All that a night or a strategy could see: nothing measured may change it."""
    w = school.warehouse
    return (w.versions(), w.champion(), w.manifests(), w.verdicts(), w.counts(), w.spans())


def test_the_curve_is_each_night_by_what_it_had_learned_from(school):
    points = learning_curve(school)
    verdicts = school.warehouse.verdicts()
    assert [p.score for p in points] == [v.after for v in verdicts]
    assert [p.items for p in points] == [v.items for v in verdicts]
    examples = [school.warehouse.dataset(m).new for m in school.warehouse.manifests()]
    assert [p.answers for p in points] == [len(e) for e in examples if e]


def test_nothing_that_is_measured_reaches_the_school(school):
    before = everything(school)
    measure_stability(school)
    measure_twin(school)
    measure_larger(school, ["steps=10"])
    assert everything(school) == before


def test_the_twin_learns_from_the_exam_and_is_examined_on_other_items(school, monkeypatch):
    from nightschool.app.limits import twin

    lessons, sat = [], []
    monkeypatch.setattr(twin.Cache, "find", lambda *args: None)
    monkeypatch.setattr(
        twin, "taught", lambda start, lesson, base, seed: lessons.append(list(lesson)) or start
    )
    real = twin.scores
    monkeypatch.setattr(
        twin, "scores", lambda s, learner, items: sat.append(items) or real(s, learner, items)
    )
    found = measure_twin(school)
    bank = {item.id for item in school.examiner.bank() if item.source == "bank"}
    assert bank < {item.id for item in school.examiner.bank()}
    for lesson, items in zip(lessons[:-1], sat[:-1], strict=True):
        asked = {f"{Context(e.context).id:016x}" for e in lesson}
        assert asked < bank
        assert not asked & {item.id for item in items}
        assert len(lesson) == found.answers
    chosen = {f"{Context(e.context).id:016x}" for e in lessons[-1]}
    assert not chosen & bank
    assert len(lessons[-1]) == found.answers
    assert {item.id for items in sat[:-1] for item in items} == bank
    assert found.items == len(bank)


def test_what_was_measured_is_not_measured_again(school, monkeypatch):
    first = (measure_twin(school), measure_larger(school, ["steps=10"]), measure_stability(school))
    monkeypatch.setattr("nightschool.learners.bagofwords.BagOfWords.fit", None)
    monkeypatch.setattr("nightschool.learners.bagofwords.BagOfWords.predict", None)
    again = (measure_twin(school), measure_larger(school, ["steps=10"]), measure_stability(school))
    assert again == first
    with pytest.raises(TypeError):  # another recipe is another thing
        measure_larger(school, ["steps=11"])


def test_recipes_learn_the_same_answers_and_sit_the_same_exam(school):
    present, slow = measure_larger(school, ["steps=1,rate=0.01"])
    n = learning_curve(school)[-1].answers
    assert [p.answers for p in present.points] == [0, round(n / 4), round(n / 2), n]
    assert present.points[0] == slow.points[0]
    assert present.score > slow.score + 0.2
    assert present.marks.keys() == slow.marks.keys() == {i.id for i in school.examiner.marked()}
    with pytest.raises(Exception, match="no_such"):
        measure_larger(school, ["no_such=1"])


def test_successive_versions_are_compared_on_the_same_contexts(school):
    found = measure_stability(school)
    assert len(found.kappas) == 3
    assert found.contexts == len(school.warehouse.contexts(Partition.TRAINING))
    assert found.kappas[-1] > 0.5


def test_the_bound_takes_its_noise_from_people_who_disagree(tmp_path):
    folder = make_school(tmp_path / "s", exam=False, questions=12)
    with School.open(folder) as school:
        school.refill()
        assert bound_of(school, "1024", 2).fewest == 10
        for number, question in enumerate(school.warehouse.queue()):
            for person, text in (("anna", "green"), ("ben", "red" if number < 3 else " GREEN ")):
                school.keep(
                    Answer(
                        str(uuid.uuid4()),
                        question.id,
                        person,
                        Reply.ANSWER,
                        Document(text),
                        1.0,
                        1.0,
                    )
                )
        found = bound_of(school, "1024", 2)
    assert (found.seen.pairs, found.seen.agreed) == (12, 9)
    assert found.noise == pytest.approx(0.5 - math.sqrt(0.125))
    assert found.fewest > found.surely > found.noiseless == 10
    assert found.used == 24


def test_who_was_asked_again_in_doubt_tells_nothing_of_the_noise(tmp_path):
    folder = make_school(tmp_path / "s", exam=False, questions=4)
    with School.open(folder) as school:
        school.refill()

        def answered(person, text):
            question = school.next_question(person)
            answer = Answer(
                str(uuid.uuid4()), question.id, person, Reply.ANSWER, Document(text), 1.0, 1.0
            )
            school.keep(answer)
            return question.context

        plain = [answered("anna", "green") for _ in range(3)]
        picks = [Pick(c, Partition.TRAINING, AGAIN, 0.5, again=True) for c in plain[:2]]
        school.warehouse.post(picks, school.champion())
        assert {answered("ben", "red") for _ in range(2)} == set(plain[:2])
        assert bound_of(school, "1024", 2).seen is None
        question = next(a.question_id for a in school.warehouse.answers())
        school.keep(
            Answer(str(uuid.uuid4()), question, "cleo", Reply.ANSWER, Document("green"), 1.0, 3.0)
        )
        found = bound_of(school, "1024", 2).seen
    assert (found.pairs, found.agreed) == (1, 1)


def test_a_class_may_be_a_file(school, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("at 1\nat 2\nat 3\nat 3\n")
    assert bound_of(school, str(names), 2).hypotheses == 3
    table = tmp_path / "table.jsonl"
    rows = [{"x": a, "y": b} for a in "abc" for b in "ab"]
    table.write_text("\n".join(map(json.dumps, [*rows, rows[0]])))
    found = bound_of(school, str(table), noise="0")
    assert (found.hypotheses, found.kinds, found.fewest) == (6, 3, 2)
    table.write_text('{"x": "a"}\n{broken\n')
    with pytest.raises(ConfigError, match="line 2"):
        bound_of(school, str(table))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (("100",), "--kinds"),
        (("nowhere.txt", 2), "nowhere.txt"),
        (("100", 2, "much"), "'much'"),
        (("100", 2, "1.5"), "1.5"),
        (("100", 2, "0", 1.0), "1.0"),
    ],
)
def test_a_bound_that_would_be_none_is_refused_with_its_cure(school, wanted, says):
    with pytest.raises(ConfigError, match=says):
        bound_of(school, *wanted)


def test_a_new_school_has_a_report_that_says_what_is_missing(tmp_path):
    with School.open(make_school(tmp_path / "s", exam=False)) as school:
        found = report(school, Wanted(), quiet)
        assert found.forecast is None
        assert found.points == ()
        assert any("not computable" in line for line in found.unknown)
        for measure in (measure_twin, lambda s: measure_larger(s, ["steps=1"])):
            with pytest.raises(ConfigError, match="run a night"):
                measure(school)
        assert measure_stability(school).kappas == ()
        with pytest.raises(ConfigError, match=r"1\.5"):
            report(school, Wanted(target=1.5), quiet)


def encoder(folder, words, width):
    """A small frozen encoder of that width, from nothing."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    names = {w: i for i, w in enumerate(["[PAD]", "[UNK]", *words])}
    tokenizer = Tokenizer(models.WordLevel(names, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(0)
    shape = {"hidden_size": width, "intermediate_size": width, "num_hidden_layers": 1}
    config = BertConfig(
        vocab_size=len(names),
        **shape,
        num_attention_heads=1,
        initializer_range=0.1,
        max_position_embeddings=16,
    )
    BertModel(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=16
    ).save_pretrained(folder)
    return folder


def test_where_a_small_encoder_has_flattened_the_report_names_the_one_that_does(tmp_path):
    rows = world(300, 0)
    words = sorted({w for c, *_ in rows for w in c.replace(".", " .").split()})
    small, large = (encoder(tmp_path / f"w{n}", words, n) for n in (4, 96))
    exam = tmp_path / "exam.jsonl"
    exam.write_text("\n".join(json.dumps({"context": c, "answer": a}) for c, a, _ in rows[:60]))
    task = ClassificationTask(sorted({a for _, a, _ in rows}), str(small))
    settings = {"strategy": "random", "questions": 24, "seed": 3, "exam_share": 0.0}
    init_school(tmp_path / "s", task, exam=exam, settings={**settings, "exam_partition": 0.0})
    oracle = ScriptedOracle({Context.of(c).id: a for c, a, _ in rows})
    with School.open(tmp_path / "s") as school:
        school.add_contexts(Context.of(c) for c, *_ in rows[60:])
        for _ in range(4):
            teach(school, oracle, 24)
            school.night()
        found = report(school, Wanted(target=0.9, larger=(str(large),)), quiet)
    assert found.advice.verdict == "more answers will not help"
    assert found.advice.size == str(large)
    present, larger = found.larger
    assert larger.score >= 0.9 > present.score + 0.2
    assert larger.parameters > 10 * present.parameters
