"""Physical systems that answer experiments: Gymnasium's bodies, found by entry point."""

from nightschool.oracles.systems.gymnasium import pendulum, pusher, reacher

__all__ = ["pendulum", "pusher", "reacher"]
