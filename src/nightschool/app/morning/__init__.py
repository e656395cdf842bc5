"""The morning: what the night brought, where the time went, and what lies ahead."""
