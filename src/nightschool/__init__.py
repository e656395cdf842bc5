"""nightschool: a model teaches itself by asking people, and learns from them overnight."""

__version__ = "0.1.0"
