"""Models that can be taught."""
