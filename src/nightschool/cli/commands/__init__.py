"""Every command, by when it is used: each parses, calls and prints."""
