"""Which contexts to ask next."""
