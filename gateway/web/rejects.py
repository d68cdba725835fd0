"""Rejects over HTTP: the same routes under /api/v1 and on the control socket."""

from flask import Blueprint, Response, abort, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.rejects import CantReplay, NoSuchReject, Rejects
from gateway.web.replies import fail, reply


class RejectsQuery(BaseModel):
    """The parameters of ``/rejects``."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=1000)


def blueprint(rejects: Rejects, prefix: str) -> Blueprint:
    """Return the routes below ``prefix``."""
    routes = Blueprint("rejects", __name__, url_prefix=prefix)

    @routes.get("/rejects")
    def newest() -> Response:
        return reply(rejects.newest(_limit()))

    @routes.get("/rejects/<int:id_>")
    def show(id_: int) -> Response:
        return reply(rejects.show(id_))

    @routes.post("/rejects/<int:id_>/replay")
    def replay(id_: int) -> Response:
        return reply(rejects.replay(id_)._asdict())

    @routes.post("/rejects/replay")
    def replay_all() -> Response:
        return reply(rejects.replay_all())

    @routes.errorhandler(NoSuchReject)
    def gone(error: NoSuchReject) -> Response:
        return fail(404, str(error))

    @routes.errorhandler(CantReplay)
    def refused(error: CantReplay) -> Response:
        return fail(409, str(error))

    return routes


def _limit() -> int:
    try:
        return RejectsQuery.model_validate(request.args.to_dict()).limit
    except ValidationError as error:
        first = error.errors()[0]
        abort(400, f"{first['loc'][0]}: {first['msg']}")
