"""The HTTP API under /api/v1."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Literal, Self, TypeVar

import orjson
from flask import Blueprint, Response, abort, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.journal import Stored
from gateway.model import wire
from gateway.runtime import cpu_time, now, sleep
from gateway.web.replies import reply
from gateway.web.services import Services

_PAGE_BYTES = 8 * 2**20
"""Of bodies in one page, which several copies of are made: it ends early where its readings are large."""
_MOST_ABSENCES = 1000
_AT_A_STRETCH_S = 0.001
"""Of the hub's CPU time, for a page that takes longer."""
_Seconds = Annotated[float, Field(allow_inf_nan=False)]


class ReadingsQuery(BaseModel):
    """The parameters of ``/api/v1/devices/ID/readings``."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(None, ge=0, le=2**62)
    from_: _Seconds | None = Field(None, alias="from")
    to: _Seconds | None = None
    limit: int = Field(1000, ge=1, le=10_000)
    max_points: int | None = Field(None, ge=4, le=10_000)
    metric: str | None = None
    order: Literal["asc", "desc"] = "asc"
    format: Literal["json", "csv", "ndjson"] = "json"

    @model_validator(mode="after")
    def _check_chart(self) -> Self:
        if (self.max_points is None) != (self.metric is None):
            raise ValueError("max_points and metric come together: a chart has one metric")
        if self.max_points is not None and self.after is not None:
            raise ValueError("a chart has one page: after has no meaning with max_points")
        return self


class AbsencesQuery(BaseModel):
    """The parameters of ``/api/v1/devices/ID/absences``."""

    model_config = ConfigDict(extra="forbid")

    from_: _Seconds | None = Field(None, alias="from")
    to: _Seconds | None = None
    limit: int = Field(100, ge=1, le=_MOST_ABSENCES)


_Query = TypeVar("_Query", bound=BaseModel)


def _parse_query(kind: type[_Query]) -> _Query:
    try:
        return kind.model_validate(request.args.to_dict())
    except ValidationError as error:
        first = error.errors()[0]
        abort(400, f"{first['loc'][0]}: {first['msg']}" if first["loc"] else first["msg"].removeprefix("Value error, "))


def blueprint(services: Services) -> Blueprint:
    """Return the API's routes."""
    api = Blueprint("api", __name__)

    @api.get("/api/v1/status")
    def status() -> Response:
        return reply(services.status(services.history.stats()))

    @api.get("/api/v1/devices")
    def devices() -> Response:
        return reply({"devices": services.devices.describe_all()})

    @api.get("/api/v1/devices/<device_id>")
    def device(device_id: str) -> Response:
        return reply(services.devices.describe(device_id) or abort(404, f"no device {device_id!r} was heard of"))

    @api.get("/api/v1/devices/<device_id>/readings")
    def readings(device_id: str) -> Response:
        return _page_of(services, device_id)

    @api.get("/api/v1/devices/<device_id>/absences")
    def absences(device_id: str) -> Response:
        return _absences_of(services, device_id)

    return api


def _absences_of(services: Services, device_id: str) -> Response:
    query = _parse_query(AbsencesQuery)
    device = services.devices.describe(device_id) or abort(404, f"no device {device_id!r} was heard of")
    found = services.history.absences(str(device["source"]), query.from_, query.to, _MOST_ABSENCES)
    at = now()  # what ended later was stamped by a clock that ran ahead, and was set back since
    told = [one.describe() for one in found if (one.until or 0.0) <= at]
    return reply({"device": device_id, "absences": told[-query.limit :]})


def _page_of(services: Services, device_id: str) -> Response:
    query = _parse_query(ReadingsQuery)
    if device_id not in services.devices:
        abort(404, f"no device {device_id!r} was heard of")
    if query.metric is not None and query.max_points is not None:
        found = services.history.chart(
            device_id, metric=query.metric, start_ts=query.from_, end_ts=query.to, most=query.max_points
        )
        return _FORMATS[query.format](device_id, found if query.order == "asc" else found[::-1], None)
    found = services.history.page(
        device_id,
        after=query.after,
        start_ts=query.from_,
        end_ts=query.to,
        limit=query.limit + 1,
        descending=query.order == "desc",
        most_bytes=_PAGE_BYTES,
    )
    page, following = _cut(found, query.limit)
    return _FORMATS[query.format](device_id, page, following)


def _cut(found: Sequence[Stored], limit: int) -> tuple[Sequence[Stored], int | None]:
    """Return a page and its last ``seq``, if there is more: one reading more than fits tells."""
    if len(found) <= limit and sum(len(stored.body) for stored in found) <= _PAGE_BYTES:
        return found, None
    return found[:-1], found[-2].seq


def _unhurried(page: Sequence[Stored]) -> Iterator[Stored]:
    """Yield readings, and let others run now and then."""
    until = cpu_time() + _AT_A_STRETCH_S
    for stored in page:
        yield stored
        if cpu_time() > until:
            sleep()
            until = cpu_time() + _AT_A_STRETCH_S


def _as_json(device: str, page: Sequence[Stored], following: int | None) -> Response:
    readings = [orjson.Fragment(wire(stored.seq, stored.body)) for stored in _unhurried(page)]
    return reply({"device": device, "readings": readings, "next": following})


def _as_ndjson(_: str, page: Sequence[Stored], following: int | None) -> Response:
    lines = b"".join(wire(stored.seq, stored.body) + b"\n" for stored in _unhurried(page))
    return _with_next(Response(lines, content_type="application/x-ndjson"), following)


def _as_csv(_: str, page: Sequence[Stored], following: int | None) -> Response:
    found: set[str] = set()
    for stored in _unhurried(page):
        found.update(orjson.loads(stored.body)["values"])
    names = sorted(found)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["seq", "ts", *names])
    for stored in _unhurried(page):
        reading = orjson.loads(stored.body)
        table.writerow([stored.seq, reading["ts"], *map(reading["values"].get, names)])
    return _with_next(Response(text.getvalue(), content_type="text/csv; charset=utf-8"), following)


def _with_next(response: Response, following: int | None) -> Response:
    if following is not None:
        response.headers["X-Next"] = str(following)
    return response


_FORMATS: dict[str, Callable[[str, Sequence[Stored], int | None], Response]] = {
    "json": _as_json,
    "ndjson": _as_ndjson,
    "csv": _as_csv,
}
