"""What a school keeps, to look at: records with their whole lives, and versions item by item."""

from nightschool.app.archive.records import Learning, Life, Records, Sat
from nightschool.app.archive.versions import Item, Line, Page, Versions

__all__ = ["Item", "Learning", "Life", "Line", "Page", "Records", "Sat", "Versions"]
