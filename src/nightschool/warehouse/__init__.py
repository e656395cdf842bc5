"""Everything that was ever asked, answered, learned and decided."""

from nightschool.warehouse.answers import Counts
from nightschool.warehouse.heirs import Erasure, Heir
from nightschool.warehouse.lineage import Reign
from nightschool.warehouse.night import NightRecord, StoredNight
from nightschool.warehouse.pool import Added
from nightschool.warehouse.warehouse import Warehouse

__all__ = ["Added", "Counts", "Erasure", "Heir", "NightRecord", "Reign", "StoredNight", "Warehouse"]
