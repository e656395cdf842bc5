"""The page and the API: parse, call, render."""
