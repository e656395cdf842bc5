"""What a demo shows, for each teacher."""

from collections.abc import Callable, Mapping

from nightschool.cli.shows.artist import ArtistShow
from nightschool.cli.shows.robot import RobotShow
from nightschool.cli.shows.show import Show
from nightschool.cli.shows.words import WordsShow

SHOWS: Mapping[str, Callable[[int, int | None, int | None], Show]] = {
    "words": WordsShow,
    "robot": RobotShow,
    "artist": ArtistShow,
}
"""Makes a show from a seed, the nights and the answers a day (None: the show's own)."""

__all__ = ["SHOWS", "Show"]
