"""nightschool.toml -> School; the only place that names concrete parts."""
