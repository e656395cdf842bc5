"""Marks and the gate: who serves tomorrow, by evidence."""
