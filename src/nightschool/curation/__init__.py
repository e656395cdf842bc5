"""Examples made from answers."""
