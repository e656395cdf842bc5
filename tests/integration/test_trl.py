"""What a school exports trains in TRL's SFTTrainer unchanged."""

from __future__ import annotations

import pytest

from nightschool.app import School
from nightschool.app.exchange import export
from nightschool.loop import teach

from ..learners.language import tiny_models as tiny

CHAT = (
    "{% for m in messages %}{{ m['role'] }}: {% if m['role'] == 'assistant' %}{% generation %}"
    "{{ m['content'] }}{% endgeneration %}{% else %}{{ m['content'] }}{% endif %}\n{% endfor %}"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny Llama with a tokenizer for bytes."""
    return tiny.build(tmp_path_factory.mktemp("model"), "llama")


@pytest.mark.parametrize("form", ["prompt", "chat"])
def test_an_export_trains_a_step(school_folder, oracle, model, tmp_path, form):
    from datasets import load_dataset
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    with School.open(school_folder) as school:
        school.night()
        teach(school, oracle, 12)
        school.night()
        count = export(school, tmp_path / "lessons.jsonl", form)
    assert count >= 8
    rows = load_dataset(
        "json",
        data_files=str(tmp_path / "lessons.jsonl"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert len(rows) == count
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.chat_template = CHAT
    trainer = SFTTrainer(
        str(model),
        args=SFTConfig(
            output_dir=str(tmp_path / "out"),
            max_steps=1,
            per_device_train_batch_size=4,
            max_length=48,
            report_to=[],
            save_strategy="no",
            use_cpu=True,
            bf16=False,
        ),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    before = {n: p.detach().clone() for n, p in trainer.model.named_parameters()}
    done = trainer.train()
    assert done.global_step == 1
    assert done.training_loss > 0
    assert any((before[n] != p).any() for n, p in trainer.model.named_parameters())
