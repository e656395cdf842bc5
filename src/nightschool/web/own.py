"""What somebody answered, theirs to take away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from nightschool.app.exchange import ENDING, MEDIA, Format, Selection, What, stream
from nightschool.types import ConfigError
from nightschool.web.desk import storable
from nightschool.web.door import Answering


def routes(school: Any) -> APIRouter:
    """The export of one's own answers."""
    api = APIRouter()

    @api.get(
        "/api/me/export",
        response_class=StreamingResponse,
        responses={200: {"content": {kind: {} for kind in MEDIA.values()}}},
    )
    def own(
        who: Answering,
        format: Format = Format.JSONL,
        person: Annotated[str, Query(max_length=64)] = "",
    ) -> StreamingResponse:
        """Everything that the caller answered, as a file; `person` counts without accounts."""
        whose = Selection(person=storable(who.person or person or "me"))
        try:
            pieces = stream(school, format, whose, What.OWN)
        except ConfigError as error:
            raise HTTPException(422, str(error)) from error
        name = f'attachment; filename="answers.{ENDING[format]}"'
        headers = {"content-disposition": name}
        return StreamingResponse(pieces, media_type=MEDIA[format], headers=headers)

    return api
