"""Completions and chats in OpenAI's form, by the champion."""

from nightschool.web.completions.completer import Busy, Completer
from nightschool.web.completions.replies import explain, refusal
from nightschool.web.completions.routes import routes

__all__ = ["Busy", "Completer", "explain", "refusal", "routes"]
