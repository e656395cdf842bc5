"""Where nights are reported as well: experiment trackers, by entry point."""

from nightschool.app.trackers.reporting import Trackers

__all__ = ["Trackers"]
