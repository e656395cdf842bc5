from __future__ import annotations

import pytest

from nightschool.app.config import Config, make_config, parse_value, read_config, write_config
from nightschool.types import ConfigError


def test_defaults_pass_their_own_checks():
    values = dict(Config().__dict__)
    assert make_config(values, "here") == Config()


def test_an_unknown_key_is_named_with_the_nearest_known_one():
    with pytest.raises(ConfigError, match=r"unknown setting 'stratgy'; did you mean 'strategy'"):
        make_config({"stratgy": "bald"}, "here")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("exam_share", 1.5),
        ("questions", 0),
        ("questions", "many"),
        ("questions", True),
        ("gate", "loose"),
        ("night_at", "25:00"),
        ("port", 70000),
        ("learner_settings", 3),
    ],
)
def test_values_out_of_range_are_refused_by_name(key, value):
    with pytest.raises(ConfigError, match=key):
        make_config({key: value}, "here")


def test_writing_keeps_comments_and_refuses_what_reading_would(tmp_path):
    (tmp_path / "nightschool.toml").write_text("# ours\nquestions = 7  # a week's\n")
    write_config(tmp_path, {"gate": "strict", "learner_settings.steps": 5})
    text = (tmp_path / "nightschool.toml").read_text()
    assert "# ours" in text
    assert "# a week's" in text
    config = read_config(tmp_path)
    assert (config.questions, config.gate) == (7, "strict")
    assert config.learner_settings == {"steps": 5}
    with pytest.raises(ConfigError):
        write_config(tmp_path, {"gate": "loose"})
    assert (tmp_path / "nightschool.toml").read_text() == text


def test_a_folder_that_is_no_school_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="nightschool init"):
        read_config(tmp_path)


def test_broken_toml_names_the_file(tmp_path):
    (tmp_path / "nightschool.toml").write_text("questions = = 3")
    with pytest.raises(ConfigError, match=r"nightschool\.toml is not valid TOML"):
        read_config(tmp_path)


def test_values_from_the_command_line_take_the_settings_type():
    assert parse_value("questions", "12") == 12
    assert parse_value("exam_share", "0.5") == 0.5
    assert parse_value("strategy", "12") == "12"
    assert parse_value("learner_settings.steps", "9") == 9
    assert parse_value("learner_settings.method", "lora") == "lora"
    with pytest.raises(ConfigError, match="must be a number"):
        parse_value("questions", "dozen")
