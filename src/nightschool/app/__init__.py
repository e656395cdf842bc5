"""nightschool.toml -> School; the only place that names concrete parts."""

from nightschool.app.config import Config
from nightschool.app.school import School
from nightschool.app.status import Status

__all__ = ["Config", "School", "Status"]
