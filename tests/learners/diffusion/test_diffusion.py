"""The diffusion learner, on a pipeline so small that it learns bars in seconds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_pipeline as tiny
import torch

from nightschool.learners.diffusion import KIND, DiffusionSettings, opening
from nightschool.learners.diffusion.adapter import attach, weights
from nightschool.learners.diffusion.lessons import gather, own_drawings, steps
from nightschool.learners.diffusion.schedule import PREDICTIONS, Schedule, step_down
from nightschool.learners.diffusion.teaching import bootstrap
from nightschool.testing import check_learner
from nightschool.testing.learners import MemoryDataset, items_of
from nightschool.types import ConfigError, Document, LearnerError
from nightschool.types.drawing import caption_of, decode_picture

torch.set_num_threads(1)
DATA = MemoryDataset(tiny.examples(4), texts=tiny.originals())
FEW = {"steps": 6, "checkpoint_steps": 2, "member_steps": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A pipeline that knows three bars."""
    scratch = tmp_path_factory.mktemp("diffusion")
    return tiny.build(scratch / "bars", scratch, "v_prediction", steps=120)


@pytest.fixture(scope="module")
def base(folder):
    return KIND.begin(str(folder), tiny.FAST)


@pytest.fixture(scope="module")
def taught(base, tmp_path_factory):
    """The base after a night of four drawings of a new caption."""
    return base.fit(DATA, seed=3, workspace=tmp_path_factory.mktemp("night"))


def with_settings(learner, **settings):
    return replace(learner, settings=DiffusionSettings.of({**tiny.FAST, **settings}))


def same(one, two):
    a, b = weights(one.pipeline.unet), weights(two.pipeline.unet)
    mine, theirs = ([dict(m) for m in x.members] for x in (one, two))
    pairs = zip([a, *mine], [b, *theirs], strict=True)
    return all(torch.equal(x[k], y[k]) for x, y in pairs for k in x)


def test_conformance(base):
    check_learner(KIND, with_settings(base, steps=20), tiny.examples(4), tiny.originals())


def test_a_night_teaches_a_caption_and_keeps_the_old_ones(base, taught):
    held = items_of([tiny.example(tiny.NEW, sheet) for sheet in (70, 71, 72)])
    assert np.mean(taught.mark(held)) > np.mean(base.mark(held)) + 0.05
    old = items_of([tiny.example(c, 50) for c in tiny.BARS])
    assert np.mean(taught.mark(old)) > 0.7 * np.mean(base.mark(old))
    other = [
        replace(item, context=tiny.example("a left bar", sheet).context)
        for sheet, item in enumerate(held)
    ]
    assert np.mean(taught.mark(held)) > np.mean(taught.mark(other)), "the caption is not heard"
    assert max(taught.stored.residual) < 1.0


def test_marks_tell_a_right_drawing_from_a_wrong_one(base):
    right = items_of([tiny.example(c, 60) for c in tiny.BARS])
    wrong = [
        replace(item, accepted=(tiny.drawing(c, 60),))
        for item, c in zip(right, [*list(tiny.BARS)[1:], "a left bar"], strict=True)
    ]
    assert np.mean(base.mark(right)) > np.mean(base.mark(wrong)) + 0.05
    both = [replace(r, accepted=r.accepted + w.accepted) for r, w in zip(right, wrong, strict=True)]
    mean = (np.array(base.mark(right)) + base.mark(wrong)) / 2
    assert np.allclose(base.mark(both), mean, atol=1e-5)
    assert base.mark([]) == []
    with pytest.raises(LearnerError, match="has no picture"):
        base.mark([replace(right[0], accepted=(Document('{"caption": "x"}', "drawing"),))])


def test_a_drawing_depends_on_its_context_alone(base):
    asked = tiny.contexts(tiny.BARS, 3)
    drawn = base.predict(asked)
    assert [caption_of(d) for d in drawn] == list(tiny.BARS)
    assert base.predict(asked[1:2]) == drawn[1:2]
    assert base.predict(tiny.contexts(["a left bar"], 4)) != drawn[:1]
    picture = decode_picture(drawn[0].parts["picture"], colour=True)
    assert picture.shape == (tiny.SIDE, tiny.SIDE, 3)
    assert base.predict([]) == []


def test_guidance_goes_further_than_the_caption(base):
    pipeline = base.pipeline
    keyed = torch.randn(16, *pipeline.shape, generator=torch.Generator().manual_seed(1))
    states = pipeline.read(["a left bar"] * 16)[0]
    drawn = [pipeline.draw(keyed, states, steps=4, guidance=g) for g in (1.0, 3.0)]
    right = pipeline.encode(tiny.bar("a left bar")[None])
    other = pipeline.encode(tiny.bar("a right bar")[None])
    gain = [(d - other).square().mean() - (d - right).square().mean() for d in drawn]
    assert gain[0] > 0, "it did not draw what was asked"
    assert gain[1] > gain[0]


@pytest.mark.parametrize("at", [5, 8])
def test_a_killed_fit_goes_on_to_the_same_weights(base, tmp_path, at):
    class Killed(Exception):
        pass

    def kill(done, total):
        assert total == 6 + 2 * 3
        if done == at:
            raise Killed

    learner = with_settings(base, **FEW)
    whole = learner.fit(DATA, seed=3, workspace=tmp_path / "whole")
    with pytest.raises(Killed):
        learner.fit(DATA, seed=3, workspace=tmp_path / "broken", progress=kill)
    seen = []
    resumed = learner.fit(
        DATA, seed=3, workspace=tmp_path / "broken", progress=lambda done, total: seen.append(done)
    )
    assert seen[0] == {5: 5, 8: 9}[at], "it did not go on from its last checkpoint"
    assert same(whole, resumed)


def test_another_seed_is_another_night(base, taught, tmp_path):
    learner = with_settings(base, **FEW)
    one = learner.fit(DATA, seed=3, workspace=tmp_path)
    two = learner.fit(DATA, seed=4, workspace=tmp_path)
    assert not same(one, two)
    assert not torch.equal(*(m["".join(sorted(m)[:1])] for m in one.members))


def test_nothing_new_teaches_nothing(base, tmp_path):
    assert base.fit(MemoryDataset([]), seed=1, workspace=tmp_path) is base
    empty = Document('{"caption": "x"}', "drawing")
    broken = replace(tiny.example(tiny.NEW, 1), target=empty)
    with pytest.raises(LearnerError, match="has no picture"):
        base.fit(MemoryDataset([broken]), seed=1, workspace=tmp_path)


def test_what_is_learned_by_heart_in_bf16(base, tmp_path):
    learner = with_settings(base, precision="bf16", steps=2, members=0)
    short = learner.fit(DATA, seed=3, workspace=tmp_path / "a")
    exact = with_settings(base, steps=2, members=0).fit(DATA, seed=3, workspace=tmp_path / "b")
    a, b = (weights(x.pipeline.unet) for x in (short, exact))
    assert all(v.dtype == torch.float32 for v in a.values())
    assert any(not torch.equal(a[k], b[k]) for k in a)
    assert short.members == ()


def test_versions_share_one_base_and_move_together(base, taught, tmp_path):
    old, new = tmp_path / "tree" / "v0", tmp_path / "tree" / "v1"
    base.save(old)
    first = KIND.load(old, tiny.FAST)
    assert same(base, first)
    second = replace(first, pipeline=replace(first.pipeline, unet=taught.pipeline.unet),
                     stored=replace(first.stored, residual=taught.stored.residual),
                     members=taught.members)  # fmt: skip
    moved = shutil.copytree(tmp_path / "tree", tmp_path / "moved")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(moved / "v0")
        second.save(moved / "v1")
    second.save(new)
    assert not (moved / "v1" / "base").exists(), "the base was stored twice"
    back = KIND.load(moved / "v1", tiny.FAST)
    assert same(taught, back)
    assert back.stored.residual == pytest.approx(taught.stored.residual)
    assert back.stored.base == "../v0/base"
    shutil.rmtree(moved / "v0")
    with pytest.raises(LearnerError, match="keep the folders together"):
        KIND.load(moved / "v1", tiny.FAST)
    alone = tmp_path / "alone"
    taught.save(alone)
    assert same(taught, KIND.load(alone, tiny.FAST))


def test_diffusers_opens_what_is_saved(taught, tmp_path):
    import diffusers

    taught.save(tmp_path)
    whole = diffusers.StableDiffusionPipeline.from_pretrained(tmp_path / "base")
    noisy, states = torch.randn(1, *taught.pipeline.shape), taught.pipeline.read(["a bar"])[0]
    before = whole.unet(noisy, 500, encoder_hidden_states=states).sample
    whole.load_lora_weights(tmp_path)
    theirs = whole.unet(noisy, 500, encoder_hidden_states=states).sample
    ours = taught.pipeline.say(taught.pipeline.unet, noisy, torch.tensor([500]), states)
    assert torch.allclose(theirs, ours, atol=1e-5)
    assert not torch.allclose(before, ours, atol=1e-3)


def test_members_disagree_and_dropout_takes_their_place(base, taught):
    asked = tiny.contexts([*tiny.BARS, tiny.NEW])
    for learner in (base, taught):
        block = learner.observe(asked, asked=asked[:2], seed=1)[0]
        assert block.values.shape == (2, 4, 5 * 3)
        assert block.noise.shape == (15,)
        assert (block.values.std(axis=0).mean(axis=1) > 1e-4).all()
        assert np.allclose(block.asked, block.embeddings[:2], atol=1e-5)
    again = taught.observe(asked, seed=1)[0]
    assert np.array_equal(again.values, taught.observe(asked, seed=1)[0].values)
    assert not np.allclose(again.values, taught.observe(asked, seed=2)[0].values)
    alone = taught.observe(asked[2:3], seed=1)[0]
    assert np.allclose(alone.values[:, 0], again.values[:, 2], atol=1e-4)
    assert list(taught.observe([], seed=1)) == []
    assert base.night_bytes == 4 * 5 * 3 * sum(
        w.numel() for w in weights(base.pipeline.unet).values()
    )


def test_shares_of_a_step(base):
    settings = base.settings
    new, old = tiny.examples(2), tiny.examples(3, "a left bar")
    lessons = gather(base.pipeline, MemoryDataset(new, old, tiny.originals(1)), settings, 1)
    assert lessons.shares(8, 0.5) == (2, 2, 4)
    latents, captions = lessons.step((2, 2, 4), np.random.default_rng(0))
    assert latents.shape == (8, *base.pipeline.shape)
    assert captions[:4] == [tiny.NEW] * 2 + ["a left bar"] * 2
    assert set(captions[4:]) <= set(tiny.BARS)
    no_replay = replace(settings, replay=0.0)
    alone = gather(base.pipeline, MemoryDataset(new, texts=tiny.originals()), no_replay, 1)
    assert alone.shares(8, 0.0) == (8, 0, 0)
    former = gather(base.pipeline, MemoryDataset([], old), no_replay, 1)
    assert former.shares(8, 0.0) == (0, 8, 0)
    # A batch that replay would fill leaves a row for what is taught.
    assert lessons.shares(4, 0.9) == (1, 0, 3)
    assert lessons.shares(1, 0.9) == (1, 0, 0)
    untaught = gather(base.pipeline, MemoryDataset([], texts=tiny.originals(1)), settings, 1)
    assert untaught.shares(4, 0.9) == (0, 0, 4)
    assert steps(0, (2, 2, 4), settings) == settings.steps
    assert steps(100, (2, 2, 4), settings) == settings.passes * 50


def test_each_member_has_a_bootstrap_of_its_own(base):
    captions = [f"bar {i}" for i in range(8)]
    new = [tiny.example(caption, 1) for caption in captions]
    lessons = gather(base.pipeline, MemoryDataset(new), replace(base.settings, replay=0.0), 1)
    drawn = [bootstrap(lessons, 1, member).new.captions for member in range(2)]
    assert all(len(own) == 8 and set(own) < set(captions) for own in drawn)
    assert drawn[0] != drawn[1]
    assert len(bootstrap(lessons, 1, 0).earlier) == 0


def test_a_heavier_drawing_is_taken_more_often(base):
    new = [tiny.example("a left bar", 1, 9.0), tiny.example("a right bar", 1, 1.0)]
    lessons = gather(base.pipeline, MemoryDataset(new), replace(base.settings, replay=0.0), 1)
    _, captions = lessons.step((200, 0, 0), np.random.default_rng(0))
    assert 160 < captions.count("a left bar") < 199


def test_without_original_drawings_its_own_are_replayed(base):
    new = tiny.examples(2)
    lessons = gather(base.pipeline, MemoryDataset(new), base.settings, 1)
    assert len(lessons.replayed) == base.settings.own
    assert set(lessons.replayed.captions) == {"a bar", "a wide", "wide bar"}
    assert len(own_drawings(base.pipeline, [], base.settings, 1)) == 0


def test_every_prediction_is_the_same_velocity():
    alphas = torch.linspace(0.999, 0.005, 100)
    clean, noise = torch.randn(2, 3, 4, 2, 2)
    times = torch.tensor([3, 50, 99])
    velocities = []
    for predicts in PREDICTIONS:
        schedule = Schedule(alphas, predicts)
        noisy = schedule.noisy(clean, noise, times)
        velocities.append(schedule.velocity(schedule.target(clean, noise, times), noisy, times))
    assert torch.allclose(velocities[0], velocities[1], atol=1e-3)
    assert torch.allclose(velocities[0], velocities[2], atol=1e-3)
    one = step_down(schedule, noisy[2:], velocities[1][2:], 99, 50)
    assert torch.allclose(one, schedule.noisy(clean[2:], noise[2:], times[1:2]), atol=1e-5)
    assert torch.allclose(step_down(schedule, one, schedule.parts(times[1:2])[0] * noise[2:]
                          - schedule.parts(times[1:2])[1] * clean[2:], 50, -1), clean[2:],
                          atol=1e-5)  # fmt: skip
    assert schedule.steps(4) == [99, 74, 49, 24]
    assert len(schedule.steps(500)) == 100


def edit(folder, name, **facts):
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def test_the_schedule_is_read_from_its_folder(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "zero")
    name = "scheduler/scheduler_config.json"
    edit(tmp_path / "zero", name, rescale_betas_zero_snr=True, prediction_type="epsilon")
    schedule = opening.open_pipeline(tmp_path / "zero", "cpu").schedule
    assert schedule.predicts == "epsilon"
    assert 0 < schedule.alphas[-1] < 1e-6


BREAK = {
    "no readable model_index.json": lambda f: (f / "model_index.json").unlink(),
    "holds no JSON object": lambda f: (f / "model_index.json").write_text("[]"),
    "its unet is missing": lambda f: edit(f, "model_index.json", unet=[None, None]),
    "a second text encoder": lambda f: edit(f, "model_index.json", text_encoder_2=["x", "y"]),
    "no noise schedule": lambda f: edit(
        f, "scheduler/scheduler_config.json", prediction_type="flow_prediction"
    ),
    "cannot be opened": lambda f: next((f / "unet").glob("*.safetensors")).unlink(),
    "made for inpainting": lambda f: edit(f, "unet/config.json", sample_size=[4, 8]),
    "lacks the weights": lambda f: edit(f, "text_encoder/config.json", num_hidden_layers=3),
}


@pytest.mark.parametrize("message", BREAK)
def test_what_is_no_such_pipeline_says_so(folder, tmp_path, message):
    broken = shutil.copytree(folder, tmp_path / "broken")
    BREAK[message](broken)
    with pytest.raises(LearnerError, match=message) as error:
        KIND.begin(str(broken), tiny.FAST)
    assert str(broken) in str(error.value)
    assert "pipeline.save_pretrained(folder" in str(error.value)


def test_the_rank_is_decided_when_a_model_is_made(taught, tmp_path):
    taught.save(tmp_path)
    rank = taught.stored.rank
    unset = {k: v for k, v in tiny.FAST.items() if k != "rank"}
    assert KIND.load(tmp_path, {**unset, "rank": rank}).settings.rank == rank
    with pytest.raises(LearnerError, match=f"rank is {rank + 1}, but .* has {rank}; set `rank`"):
        KIND.load(tmp_path, {**unset, "rank": rank + 1})
    edit(tmp_path, "nightschool.json", source="elsewhere")
    assert KIND.load(tmp_path, unset).settings.rank == rank


def test_damaged_versions(taught, tmp_path):
    taught.save(tmp_path)
    name = "pytorch_lora_weights.safetensors"
    (tmp_path / name).rename(tmp_path / "kept")
    with pytest.raises(LearnerError, match="missing or damaged"):
        KIND.load(tmp_path, tiny.FAST)
    shutil.copy(tmp_path / "members.safetensors", tmp_path / name)
    with pytest.raises(LearnerError, match="does not fit its base"):
        KIND.load(tmp_path, tiny.FAST)
    edit(tmp_path, "nightschool.json", format=9)
    with pytest.raises(LearnerError, match="format 9"):
        KIND.load(tmp_path, tiny.FAST)
    (tmp_path / "nightschool.json").unlink()
    with pytest.raises(LearnerError, match="not written by this learner"):
        KIND.load(tmp_path, tiny.FAST)


def test_a_unet_without_attention_is_refused():
    with pytest.raises(LearnerError, match="no attention layers"):
        attach(torch.nn.Sequential(torch.nn.Linear(2, 2)), 2)


def test_missing_packages_name_the_extra(folder, monkeypatch):
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"nightschool\[drawing\]"):
        KIND.begin(str(folder), tiny.FAST)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"steps": 0}, "above zero"),
        ({"steps": 1.5}, "whole number"),
        ({"guidance": "much"}, "wants a number"),
        ({"replay": 1.0}, "below 1"),
        ({"members": 1}, "at least 2"),
        ({"learning_rate": float("nan")}, "learning_rate is nan; it must be a finite number"),
        ({"guidance": float("inf")}, "guidance is inf; it must be a finite number"),
        ({"precision": "fp8"}, "fp32, bf16"),
        ({"threads": True}, "whole number"),
        ({"speed": 1}, "no setting 'speed'"),
    ],
)
def test_settings(setting, message):
    with pytest.raises(LearnerError, match=message):
        KIND.check(setting)
    KIND.check({"threads": None, "members": 0, "guidance": 3})


def test_importing_it_opens_no_large_library():
    code = (
        "import sys, nightschool.learners.diffusion\n"
        "print([m for m in ('diffusers', 'transformers', 'peft', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parent,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
