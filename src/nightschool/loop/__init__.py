"""One night and one day, top to bottom; imports only the types."""
