"""Whoever answers."""

from nightschool.oracles.scripted import ScriptedOracle

__all__ = ["ScriptedOracle"]
