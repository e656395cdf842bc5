"""The drawing learner, on pictures simple enough to be learned in a second."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from nightschool import faults
from nightschool.learners import drawing
from nightschool.learners.drawing import KIND, DrawingSettings, canvas, words
from nightschool.learners.drawing.flow import Dropout, draw
from nightschool.learners.drawing.lessons import Lesson, plan, shake, steps
from nightschool.learners.drawing.posterior import values
from nightschool.testing import check_learner
from nightschool.testing.learners import MemoryDataset, items_of
from nightschool.types import (
    ConfigError,
    Context,
    Document,
    Example,
    LearnerError,
    NightschoolError,
)
from nightschool.types.drawing import (
    caption_document,
    caption_of,
    decode_picture,
    drawing_document,
    encode_picture,
)

SIDE = 12
TINY = {
    "side": SIDE,
    "kept": 8,
    "hidden": 64,
    "blocks": 2,
    "condition": 24,
    "steps": 40,
    "batch": 32,
    "learning_rate": 4e-3,
    "checkpoint_steps": 10,
    "members": 4,
    "directions": 3,
}
BARS = {"a left bar": (0, 4), "a right bar": (8, 12), "a middle bar": (4, 8)}
NEW = "a wide bar"


def bar(caption, seed=0):
    """An upright bar, its ends a little random: (12, 12) uint8."""
    start, end = BARS.get(caption, (0, 12))
    picture = np.full((SIDE, SIDE), 255, np.uint8)
    top = int(np.random.default_rng(seed).integers(0, 3))
    picture[top : SIDE - 2 + top, start:end] = 0
    return picture


def example(caption, sheet, weight=1.0):
    context = caption_document(caption, sheet)
    target = drawing_document(caption, encode_picture(bar(caption, sheet)))
    return Example(f"{Context(context).id:x}", context, target, weight, ("a",), 1)


def originals(each=8):
    return [
        drawing_document(caption, encode_picture(bar(caption, seed)))
        for caption in BARS
        for seed in range(each)
    ]


@pytest.fixture(scope="module")
def base():
    """A base that knows three bars, as a folder-less learner."""
    settings = DrawingSettings.of(TINY)
    captions = [c for c in BARS for _ in range(20)]
    pictures = np.stack([bar(c, i) for i, c in enumerate(captions)])
    brain = drawing.pretrain(captions, pictures, settings, 1, steps=500)
    return replace(KIND.begin("nothing", TINY), brain=brain)


def taught(learner, folder, *, examples=None, seed=3, progress=None, original=None, **settings):
    """A night of four drawings of the new caption."""
    learner = replace(learner, settings=replace(learner.settings, **settings))
    new = [example(NEW, sheet) for sheet in range(4)] if examples is None else examples
    data = MemoryDataset(new, texts=originals() if original is None else original)
    return learner.fit(data, seed=seed, workspace=folder, progress=progress)


def state(learner):
    return {k: v.clone() for k, v in learner.brain.network.state_dict().items()}


def same(one, two):
    return all(torch.equal(v, state(two)[k]) for k, v in state(one).items())


def contexts(captions, sheet=1):
    return [Context(caption_document(c, sheet)) for c in captions]


def test_conformance(base):
    learner = replace(base, settings=base.settings)
    check_learner(KIND, learner, [example(NEW, sheet) for sheet in range(6)], originals())


def test_a_night_teaches_the_new_and_keeps_the_old(base, tmp_path):
    after = taught(base, tmp_path)
    old = [bar(c, 50) for c in BARS]
    before_new = base.losses([NEW], bar(NEW, 50)[None], [1])[0]
    assert after.losses([NEW], bar(NEW, 50)[None], [1])[0] < 0.75 * before_new
    kept = base.losses(list(BARS), np.stack(old), [1, 2, 3]).mean()
    assert after.losses(list(BARS), np.stack(old), [1, 2, 3]).mean() < 1.15 * kept
    forgot = taught(base, tmp_path / "alone", original=())
    assert forgot.losses(list(BARS), np.stack(old), [1, 2, 3]).mean() > 1.15 * kept


def test_a_drawing_is_of_its_caption_and_depends_on_nothing_else(base):
    asked = contexts(BARS, 3)
    drawn = base.predict(asked)
    for context, document in zip(asked, drawn, strict=True):
        caption = caption_of(context.document)
        assert caption_of(document) == caption
        picture = decode_picture(document.parts["picture"]).astype(float)
        distances = {c: np.abs(picture - bar(c, 1)).mean() for c in BARS}
        assert min(distances, key=distances.get) == caption
    assert base.predict(asked[1:2]) == drawn[1:2]
    assert base.predict(contexts(["a left bar"], 4)) != drawn[:1]
    assert base.predict([]) == []


def test_marks_tell_a_right_drawing_from_a_wrong_one(base):
    right = items_of([example(c, 60) for c in BARS])
    wrong = [
        replace(
            item, accepted=(drawing_document(caption_of(item.context), encode_picture(bar(c))),)
        )
        for item, c in zip(right, [*list(BARS)[1:], "a left bar"], strict=True)
    ]
    good, bad = base.mark(right), base.mark(wrong)
    assert min(good) > 0.3
    assert all(g > b + 0.1 for g, b in zip(good, bad, strict=True))
    both = replace(right[0], accepted=(*right[0].accepted, *wrong[0].accepted))
    assert base.mark([both])[0] == pytest.approx((good[0] + bad[0]) / 2, abs=0.02)
    assert base.mark([]) == []


def test_the_constant_explains_nothing():
    """A network of zeros predicts the constant 0, and with a mean of 0 that is the best one."""
    learner = KIND.begin("nothing", TINY)
    assert learner.mark(items_of([example("a left bar", 1)])) == [0.0]


def test_a_mark_is_the_share_that_the_mean_drawing_leaves_unexplained(base):
    item = items_of([example("a left bar", 60)])[0]
    picture = bar("a left bar", 60)[None]
    loss = base.losses(["a left bar"], picture, [Context(item.context).id])[0]
    off = (canvas.to_codes(picture, 8)[0] - base.brain.mean).square().mean()
    # The noise has variance 1 and is independent of the drawing.
    assert base.mark([item])[0] == pytest.approx(1 - loss / (1 + float(off)), abs=0.03)


def test_losses_have_noise_of_their_key_alone(base):
    pictures = np.stack([bar("a left bar", i) for i in range(3)])
    names = ["a left bar"] * 3
    whole = base.losses(names, pictures, [5, 6, 7])
    assert np.allclose(whole[1:], base.losses(names[1:], pictures[1:], [6, 7]), rtol=1e-4)
    assert not np.allclose(whole, base.losses(names, pictures, [8, 9, 10]), rtol=1e-4)
    assert base.losses([], np.zeros((0, SIDE, SIDE), np.uint8), []).shape == (0,)


def test_guidance_pulls_towards_the_caption(base):
    names, keys = ["a left bar"] * 30, range(30)
    target = bar("a left bar", 1)[:, :4].mean()

    def miss(guidance):
        return abs(base.sample(names, keys, guidance)[:, 1:-3, :4].mean() - target)

    assert miss(2.0) < miss(1.0)
    assert base.sample([], []).shape == (0, SIDE, SIDE)


def test_members_disagree_most_about_what_was_never_taught(base, tmp_path):
    many = replace(base.settings, members=24, directions=8)

    def spread(learner):
        block = replace(learner, settings=many).observe(contexts([*BARS, NEW]), seed=1)[0]
        return block.values.std(axis=0).mean(axis=-1)

    before, after = spread(base), spread(taught(base, tmp_path))
    assert before[-1] > 1.3 * before[:-1].max()
    assert after[-1] < 0.8 * before[-1]


def test_observations_count_what_was_asked_and_what_was_learned(base, tmp_path):
    asked = contexts([NEW, NEW, "a left bar"])
    block = base.observe(contexts([NEW]), asked=asked, seed=1)[0]
    rows = words.features([NEW, "a left bar", "a right bar"])
    counts = [int((block.asked == row).all(axis=1).sum()) for row in rows]
    assert counts == [2, 16, 16]
    assert taught(base, tmp_path).taught[NEW] == 4
    assert block.noise.shape == block.values.shape[2:] == (15,)
    assert len(base.observe([], seed=1)) == 0


def test_a_killed_fit_goes_on_to_the_same_weights(base, tmp_path):
    whole = taught(base, tmp_path / "whole")

    def stop(done, total):
        if done == 27:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        taught(base, tmp_path / "broken", progress=stop)
    seen = []
    resumed = taught(base, tmp_path / "broken", progress=lambda done, _: seen.append(done))
    assert seen[0] == 21
    assert same(whole, resumed)


@pytest.mark.parametrize("fault", ["fit.step:17", "fit.checkpoint:3", "fit.checkpoint:4"])
def test_a_fit_killed_outright_goes_on_to_the_same_weights(base, tmp_path, fault):
    whole = taught(base, tmp_path / "whole", steps=25)
    child = os.fork()
    if child == 0:
        os.environ["NIGHTSCHOOL_FAULT"] = fault
        faults._reached.clear()
        taught(base, tmp_path / "broken", steps=25)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    seen = []
    resumed = taught(
        base, tmp_path / "broken", steps=25, progress=lambda done, _: seen.append(done)
    )
    assert seen[0] > 1
    assert same(whole, resumed)


@pytest.mark.parametrize("other", ["seed", "settings", "examples", "damaged"])
def test_a_checkpoint_of_another_fit_is_not_continued(base, tmp_path, other):
    given = {
        "seed": {"seed": 4},
        "settings": {"learning_rate": 1e-3},
        "examples": {"examples": [example(NEW, 9)]},
        "damaged": {},
    }[other]
    taught(base, tmp_path / "used")
    if other == "damaged":
        (tmp_path / "used" / "drawing.safetensors").write_bytes(b"torn")
    assert same(taught(base, tmp_path / "clean", **given), taught(base, tmp_path / "used", **given))


def test_a_night_without_drawings_changes_nothing(base, tmp_path):
    after = taught(base, tmp_path, examples=[])
    assert same(base, after)
    assert after.taught == base.taught


def test_fit_does_not_depend_on_global_randomness(base, tmp_path):
    one = taught(base, tmp_path / "one", steps=5)
    torch.manual_seed(99)
    assert same(one, taught(base, tmp_path / "two", steps=5))


def test_a_loss_that_is_no_number_is_named(base, tmp_path):
    broken = replace(base, brain=replace(base.brain, network=base.brain.network))
    with pytest.raises(LearnerError, match=r"loss became .*lower `learning_rate`"):
        taught(broken, tmp_path, learning_rate=1e30)


def test_what_is_no_drawing_is_refused(base, tmp_path):
    wrong = replace(example(NEW, 1), target=Document("a text"))
    with pytest.raises(NightschoolError, match="has no picture"):
        taught(base, tmp_path, examples=[wrong])


def test_tonights_earlier_and_original_drawings_share_a_step():
    settings = DrawingSettings.of({"batch": 32, "replay": 0.5})

    def lesson(n):
        return Lesson.of(["a left bar"] * n, np.zeros((n, SIDE, SIDE), np.uint8))

    assert plan([lesson(2), lesson(3), lesson(4)], settings).shares == (8, 8, 16)
    assert plan([lesson(2), lesson(0), lesson(4)], settings).shares == (16, 16)
    assert plan([lesson(0), lesson(3), lesson(4)], settings).shares == (16, 16)
    assert plan([lesson(2), lesson(0), lesson(0)], settings).shares == (32,)
    assert steps(4, settings) == 200
    # A batch that replay would fill leaves a row for what is taught.
    tiny = DrawingSettings.of({"batch": 4, "replay": 0.9})
    assert plan([lesson(2), lesson(0), lesson(4)], tiny).shares == (1, 3)
    assert plan([lesson(0), lesson(3), lesson(4)], tiny).shares == (1, 3)
    assert plan([lesson(0), lesson(0), lesson(4)], tiny).shares == (4,)
    assert plan([lesson(2), lesson(0), lesson(4)], replace(tiny, batch=1)).shares == (1,)
    assert steps(1000, settings) == 750


def test_rows_are_drawn_by_weight():
    rows = Lesson.of(["a", "b"], np.zeros((2, SIDE, SIDE), np.uint8), [1.0, 0.25])
    drawn = rows.rows(4000, torch.Generator().manual_seed(1)).numpy()
    assert drawn.mean() == pytest.approx(0.2, abs=0.03)


def test_a_shaken_drawing_stays_what_it_was():
    look = torch.Generator().manual_seed(2)
    assert shake(3, 0.0, look) is None
    pictures = np.stack([bar("a middle bar")] * 40)
    moved = canvas.to_pictures(canvas.to_codes(pictures, SIDE, shake(40, 1.0, look)), SIDE)
    assert len(np.unique(moved, axis=0)) == 40
    assert np.abs(moved.mean(axis=0) - pictures[0]).mean() < 40
    assert moved[:, 0, 0].min() > 200


def test_pictures_and_codes_are_one_to_one_where_all_frequencies_are_kept():
    pictures = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE)).astype(np.uint8)
    codes = canvas.to_codes(pictures, SIDE)
    assert np.abs(canvas.to_pictures(codes, SIDE).astype(int) - pictures).max() <= 1
    ink = 1 - pictures[0] / 127.5
    assert float(codes[0].square().sum()) == pytest.approx(float((ink**2).sum()), rel=1e-4)
    with pytest.raises(LearnerError, match=r"\(n, side, side\)"):
        canvas.to_codes(np.zeros((2, 4, 5), np.uint8), 4)


def test_captions_share_their_words_and_keep_their_order():
    assert words.stems("An eight, beside TWO sixes!") == ["a", "eight", "beside", "two", "six"]
    assert words.stems("sevens glass us") == ["seven", "glass", "us"]
    a, b, c = words.features(["a seven beside a three", "a three beside a seven", "two sevens"])
    half = words.WORDS
    assert np.allclose(a[:half], b[:half])
    assert not np.allclose(a, b)
    assert (a[:half] * c[:half]).sum() > 0
    assert np.allclose(np.linalg.norm(words.features(["wörter überall"])[0]), 2**0.5)
    assert not words.features(["!?"])[0, :half].any()


def test_no_two_words_and_no_two_pairs_look_alike():
    """A checksum in place of the hash made "four" and "nine" one word, and "big seven" nothing."""
    numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    for rows in (
        words.features(numbers)[:, : words.WORDS],
        words.features([f"a big {number}" for number in numbers])[:, words.WORDS :],
    ):
        alike = rows @ rows.T
        assert np.allclose(np.diag(alike), 1.0, atol=1e-5)
        assert np.abs(alike - np.eye(len(rows))).max() < 0.8


def test_dropout_leaves_out_whole_captions_and_all_pairs():
    look = torch.Generator().manual_seed(3)
    rows = torch.ones(2000, words.WIDTH)
    kept = Dropout(0.1, 0.0, 0.5)(rows, look)
    assert float((kept[:, 0] == 0).float().mean()) == pytest.approx(0.1, abs=0.03)
    assert float((kept[:, -1] == 0).float().mean()) == pytest.approx(0.55, abs=0.04)
    single = Dropout(0.0, 0.3, 0.0)(rows, look)
    assert float((single == 0).float().mean()) == pytest.approx(0.3, abs=0.01)


def test_drawing_without_guidance_is_one_pass_a_step(base):
    calls = []
    network = base.brain.network
    hook = network.register_forward_hook(lambda *_: calls.append(1))
    word = torch.from_numpy(words.features(["a left bar"]))
    for guidance in (1.0, 2.0):
        draw(network, word, torch.zeros(1, 64), steps=5, guidance=guidance)
    hook.remove()
    assert len(calls) == 5 + 10


def test_values_without_any_lesson_are_the_prior(base):
    facts = (torch.zeros(64, 64), torch.ones(5), {})
    found = values(base.brain.network, ["x"], [1], facts, members=50, directions=4, seed=1)
    assert found.shape == (50, 1, 20)
    assert found.std(axis=0).mean() > 1.0


def test_a_base_is_built_saved_in_16_bits_and_taught_on(tmp_path):
    captions = [c for c in BARS for _ in range(4)]
    pictures = np.stack([bar(c, i) for i, c in enumerate(captions)])
    settings = DrawingSettings.of(TINY)
    seen = []
    claims = drawing.build(
        tmp_path / "base", captions, pictures, steps=8, settings=settings,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen[-1] == (8, 8)
    assert claims["drawings"] == 12
    assert claims["captions"] == 3
    learner = KIND.begin(str(tmp_path / "base"), {"steps": 3})
    assert learner.taught == dict.fromkeys(BARS, 4)
    assert (learner.settings.steps, learner.settings.side) == (3, SIDE)
    drawing.build(tmp_path / "again", captions, pictures, steps=8, settings=settings)
    assert same(learner, KIND.begin(str(tmp_path / "again"), {}))
    assert learner.night_bytes > 0
    with pytest.raises(LearnerError, match="2 captions and 12 pictures"):
        drawing.pretrain(["a", "b"], pictures, settings, 0)


def test_the_shape_is_decided_when_a_model_is_made(base, tmp_path):
    base.save(tmp_path)
    assert KIND.load(tmp_path, {"steps": 7}).settings.steps == 7
    # What is not set follows the package, not the folder.
    assert KIND.load(tmp_path, {}).settings == replace(DrawingSettings(), **base.settings.shape)
    with pytest.raises(LearnerError, match=r"'hidden': 72.*'hidden': 64.*set it back"):
        KIND.load(tmp_path, {"hidden": 72})


def test_a_version_with_all_its_settings_stored_still_loads(base, tmp_path):
    """As the first versions were saved; of their settings only the shape counts."""
    base.save(tmp_path)
    path = tmp_path / "drawing.json"
    facts = json.loads(path.read_text())
    del facts["shape"]
    path.write_text(json.dumps({**facts, "settings": {**asdict(base.settings), "gone": 1}}))
    back = KIND.load(tmp_path, {})
    assert same(back, base)
    assert back.settings == replace(DrawingSettings(), **base.settings.shape)


@pytest.mark.parametrize("spoil", ["empty", "format", "weights", "json"])
def test_a_folder_without_a_learner_is_named(base, tmp_path, spoil):
    base.save(tmp_path)
    facts = tmp_path / "drawing.json"
    if spoil == "empty":
        facts.unlink()
    elif spoil == "format":
        facts.write_text(facts.read_text().replace('"format": 1', '"format": 2'))
    elif spoil == "weights":
        (tmp_path / "model.safetensors").write_bytes(b"torn")
    else:
        facts.write_text("{")
    with pytest.raises(LearnerError, match=r"holds no drawing learner|has format 2"):
        KIND.load(tmp_path, {})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"stpes": 3}, "no setting 'stpes'; it has: batch"),
        ({"steps": 1.5}, "steps is 1.5; the drawing learner wants a whole number"),
        ({"guidance": "much"}, "guidance is 'much'; the drawing learner wants a number"),
        ({"steps": True}, "steps is True"),
        ({"batch": 0}, "batch is 0; it must be above zero"),
        ({"replay": 1.0}, "replay is 1.0; it is a share"),
        ({"members": 1}, "members is 1; one member cannot disagree"),
        ({"learning_rate": float("nan")}, "learning_rate is nan; it must be a finite number"),
        ({"guidance": float("inf")}, "guidance is inf; it must be a finite number"),
        ({"jitter": float("nan")}, "jitter is nan"),
        ({"side": 12, "kept": 13}, "kept is 13, but pictures of side 12 have only 12"),
    ],
)
def test_a_wrong_setting_is_named(settings, said):
    with pytest.raises(LearnerError, match=said):
        KIND.check(settings)


def test_settings_that_may_be_zero():
    assert DrawingSettings.of({"jitter": 0, "guidance": 3}).guidance == 3


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(
        "nightschool.learners.drawing.learner.find_spec",
        lambda name: None if name == "PIL" else importlib.util.find_spec(name),
    )
    with pytest.raises(ConfigError, match=r"nightschool\[drawing\]"):
        KIND.begin("nothing", {})
