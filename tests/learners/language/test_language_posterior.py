"""Posterior samples: exact against full enumeration, different from each other, keyed by seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import ANIMALS, ARCHITECTURES, FAST, Lessons, context, sounds, texts, turned
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from nightschool.learners.language import KIND, LanguageLearner, members
from nightschool.learners.language.marking import Habits
from nightschool.learners.language.observing import Beams, one_token
from nightschool.types import Context, LearnerError

Folders = Callable[[str], Path]
POOL = [Context.of(context(a, p)) for p in ("farm", "pond") for a in ANIMALS]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> LanguageLearner:
    """A vocabulary of nine words, so that every answer of two words can be enumerated."""
    words = ["<end>", "a", "b", "c", "d", "e", "f", "g", "h"]
    core = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<end>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    folder = tmp_path_factory.mktemp("toy")
    PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<end>").save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=9, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=32, eos_token_id=0, bos_token_id=None,
        initializer_range=0.4,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        LlamaForCausalLM(config).save_pretrained(folder)
    learner = KIND.begin(str(folder), {"threads": 1, "beams": 9, "candidates": 80})
    return replace(learner, stored=replace(learner.stored, habits=Habits(2, 2, ends=True)))


def enumerated(learner: LanguageLearner, row: list[int], seed: int) -> np.ndarray:
    """The probability of every answer of one or two words, sample by sample, with no cleverness."""
    factors = members.dropout_passes(learner.body, learner.settings, seed)
    found = []
    for s in range(factors.count):
        alone = members.Factors(1, masks={n: m[s : s + 1] for n, m in factors.masks.items()})

        rows = [row, *([*row, a] for a in range(1, 9))]
        logits = learner.body.logits(rows, [[len(r) - 1] for r in rows], alone)[0]
        first, *second = logits.double().softmax(-1).numpy()
        one = [first[a] * second[a - 1][0] for a in range(1, 9)]
        two = [first[a] * second[a - 1][b] for a, b in itertools.product(range(1, 9), repeat=2)]
        found.append([*one, *two])
    return np.asarray(found)


def in_order(probs: np.ndarray) -> np.ndarray:
    return probs[:, np.argsort(-probs.mean(0), kind="stable")]


@pytest.mark.parametrize("shown", ["a b", "c", "h g f e d"])
def test_answers_of_two_tokens_agree_with_full_enumeration(
    toy: LanguageLearner, shown: str
) -> None:
    (block,) = toy.observe([Context.of(shown)], seed=5)
    probs = block.probs[:, 0]
    expected = in_order(enumerated(toy, toy.text.encode(shown), 5))
    assert expected.shape == (8, 72)
    np.testing.assert_allclose(in_order(probs[:, :72]), expected, atol=2e-6)
    np.testing.assert_allclose(probs[:, -1], 1 - expected.sum(1), atol=2e-6)
    assert expected.std(0).max() > 1e-3, "the samples are all alike"


def test_narrow_beams_give_true_probabilities(toy: LanguageLearner) -> None:
    narrow = replace(toy, settings=replace(toy.settings, beams=3, candidates=4))
    rows = [toy.text.encode("a b"), toy.text.encode("d c")]
    factors = members.dropout_passes(toy.body, toy.settings, 5)
    logs = Beams(toy.body, toy.text, factors, 3, 2).candidates(rows, 4)
    for i, row in enumerate(rows):
        every = enumerated(toy, row, 5)
        for column in np.exp(logs[:, i]).T:
            gap = np.abs(every - column[:, None]).max(0)
            assert gap.min() < 1e-6
    (block,) = narrow.observe([Context.of("a b")], seed=5)
    np.testing.assert_allclose(block.probs.sum(-1), 1, atol=1e-6)
    assert block.probs.shape == (8, 1, 5)


def test_beams_keep_their_own_past(toy: LanguageLearner) -> None:
    """Answers of three tokens: each beam must go on from the cache of its own parent."""
    factors = members.dropout_passes(toy.body, toy.settings, 5)
    row = toy.text.encode("a b")
    logs = Beams(toy.body, toy.text, factors, 4, 3).candidates([row, row[::-1]], 40)[:, 0]
    threes = list(itertools.product(range(1, 9), repeat=3))
    rows = [[*row, *three] for three in threes]
    wanted = [range(len(row) - 1, len(row) + 3)] * len(rows)
    for s in range(2):
        alone = members.Factors(1, masks={n: m[s : s + 1] for n, m in factors.masks.items()})
        steps = toy.body.logits(rows, wanted, alone).view(len(rows), 4, -1).log_softmax(-1)
        steps = steps.double().numpy()
        whole, ended = [], set()
        for three, step in zip(threes, steps, strict=True):
            path = np.cumsum([step[i, token] for i, token in enumerate(three)])
            whole.append(path[-1])
            ended |= {round(path[i] + step[i + 1, 0], 4) for i in (0, 1)}
        for found in logs[s]:
            gap = min(np.abs(np.asarray(whole) - found).min(), *(abs(e - found) for e in ended))
            assert gap < 2e-4, found


def test_answers_of_one_token_are_the_mixtures_best(toy: LanguageLearner) -> None:
    factors = members.dropout_passes(toy.body, toy.settings, 5)
    rows = [toy.text.encode("a b"), toy.text.encode("d c e")]
    logs = one_token(toy.body, rows, factors, 4)
    for i, row in enumerate(rows):
        whole = toy.body.logits([row], [[len(row) - 1]], factors)[:, 0].double().softmax(-1)
        best = whole.mean(0).argsort(descending=True)[:4]
        np.testing.assert_allclose(np.exp(logs[:, i]), whole[:, best].numpy(), atol=1e-6)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_dropout_reaches_every_block(kind: str, folder_of: Folders) -> None:
    learner = KIND.begin(str(folder_of(kind)), FAST)
    assert len(learner.body.parts) == 4, learner.body.parts
    (block,) = learner.observe(POOL, seed=1)
    assert block.probs.std(0).max(-1).min() > 1e-4
    for part in learner.body.parts:
        factors = members.dropout_passes(learner.body, learner.settings, 1)
        alone = members.Factors(factors.count, masks={part: factors.masks[part]})
        logits = learner.body.logits([[5, 6, 7]], [[2]], alone)
        assert float((logits - logits[:1]).abs().max()) > 1e-5, f"{part} is not reached"


@pytest.fixture(scope="module")
def taught(grown_of: Folders, tmp_path_factory: pytest.TempPathFactory) -> LanguageLearner:
    learner = KIND.begin(str(grown_of("gpt2")), {**FAST, "steps": 20})
    dataset = Lessons(turned("farm"), sounds("yard"), texts())
    return learner.fit(dataset, seed=2, workspace=tmp_path_factory.mktemp("night"))


def test_trained_members_disagree_and_are_saved(taught: LanguageLearner, tmp_path: Path) -> None:
    (block,) = taught.observe(POOL, seed=1)
    assert block.probs.shape[0] == 4
    assert block.probs.std(0).max() > 1e-3
    taught.save(tmp_path / "saved")
    (again,) = KIND.load(tmp_path / "saved", FAST).observe(POOL, seed=1)
    np.testing.assert_array_equal(block.probs, again.probs)


def agreeing(taught: LanguageLearner, **settings: float) -> LanguageLearner:
    """The learner with members that are all alike."""
    assert taught.posterior is not None
    same = {n: t * 0 if n.startswith("up.") else t for n, t in taught.posterior.items()}
    return replace(taught, posterior=same, settings=replace(taught.settings, **settings))


def test_members_that_agree_give_way_to_dropout(
    taught: LanguageLearner, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING", logger="nightschool"):
        blocks = list(agreeing(taught, block=5).observe(POOL, seed=1))
    assert caplog.text.count("All 4 posterior members give the same answers; dropout") == 1
    expected = list(replace(agreeing(taught, block=5), posterior=None).observe(POOL, seed=1))
    for block, dropped in zip(blocks, expected, strict=True):
        assert block.probs.shape[0] == 8
        np.testing.assert_array_equal(block.probs, dropped.probs)


def test_dropout_passes_that_agree_are_an_error(taught: LanguageLearner) -> None:
    learner = agreeing(taught, dropout=1e-12)
    for one in (learner, replace(learner, posterior=None)):
        with pytest.raises(LearnerError, match=r"8 dropout passes .* `dropout` 1e-12.*raise"):
            list(one.observe(POOL, seed=1))


def test_each_member_has_its_own_bootstrap() -> None:
    rows = [members.Row((i, i + 1), 1) for i in range(30)]
    settings = KIND_SETTINGS
    drawn = members.bootstraps(rows, (), settings, seed=1)
    assert len({tuple(r.ids for r in own) for own in drawn.answers}) == 4
    for own in drawn.answers:
        assert len(own) == 30
        assert 10 < len({r.ids for r in own}) < 28
    step = drawn.step(0)
    assert len(step) == 4 * settings.member_batch
    assert drawn.step(3) == members.bootstraps(rows, (), settings, seed=1).step(3)


KIND_SETTINGS = members.LanguageSettings()


def _whole(blocks: Sequence) -> dict[int, tuple[np.ndarray, np.ndarray]]:  # type: ignore[type-arg]
    return {
        int(name): (block.probs[:, i], block.embeddings[i])
        for block in blocks
        for i, name in enumerate(block.ids)
    }


@pytest.mark.parametrize("which", ["dropout", "members"])
def test_neither_order_nor_blocks_matter(
    which: str, taught: LanguageLearner, folder_of: Folders
) -> None:
    learner = taught if which == "members" else KIND.begin(str(folder_of("llama")), FAST)
    one = _whole(list(learner.observe(POOL, seed=1)))
    small = replace(learner, settings=replace(learner.settings, block=3))
    blocks = small.observe(POOL[::-1], seed=1)
    other = _whole(list(blocks))
    assert one.keys() == other.keys() == {c.id for c in POOL}
    for name, (probs, embedding) in one.items():
        np.testing.assert_allclose(probs, other[name][0], atol=1e-5)
        np.testing.assert_allclose(embedding, other[name][1], atol=1e-5)
    again = _whole(list(blocks))
    assert all(np.array_equal(other[n][0], again[n][0]) for n in other), "not the same twice"


def test_what_a_block_holds(taught: LanguageLearner) -> None:
    small = replace(taught, settings=replace(taught.settings, block=5))
    blocks = list(small.observe(POOL, asked=POOL[:3], seed=1))
    assert [len(b) for b in blocks] == [5, 5, 5, 1]
    for block in blocks:
        assert block.ids.dtype == np.uint64
        assert block.embeddings.shape == (len(block), 32)
        assert block.probs.dtype == block.embeddings.dtype == np.float32
        np.testing.assert_allclose(block.probs.sum(-1), 1, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(block.embeddings, axis=1), 1, atol=1e-5)
        assert block.asked.shape == (3, 32)
    np.testing.assert_allclose(blocks[0].asked, blocks[0].embeddings[:3], atol=1e-5)
    assert not blocks[0].has("values")
    assert not next(iter(small.observe(POOL, seed=1))).has("asked")


def test_another_seed_drops_other_features(folder_of: Folders) -> None:
    learner = KIND.begin(str(folder_of("llama")), FAST)
    (one,), (two,) = learner.observe(POOL, seed=1), learner.observe(POOL, seed=2)
    assert not np.allclose(one.probs, two.probs, atol=1e-4)
