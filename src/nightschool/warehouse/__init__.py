"""Everything that was ever asked, answered, learned and decided."""
