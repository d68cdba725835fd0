"""The control socket's app: what gatewayctl asks of a running daemon."""

from collections.abc import Iterator, Sequence

import eventlet.queue
import orjson
from flask import Flask, Response, request

from gateway.live import Live
from gateway.model import Reading
from gateway.web import probes, rejects
from gateway.web.replies import fail, handle_errors, reply
from gateway.web.services import Services

_MOST_WAITING = 1000
"""Commits that wait for a slow ``tail``; past it they are left out."""
_KEEPALIVE_S = 5.0


def create(services: Services) -> Flask:
    """Return the app; who may open the socket may ask."""
    app = Flask(__name__, static_folder=None)
    handle_errors(app)
    app.register_blueprint(probes.blueprint(services))
    app.register_blueprint(rejects.blueprint(services.rejects, ""))

    @app.get("/status")
    def status() -> Response:
        return reply(services.status(services.history.stats()))

    @app.get("/devices")
    def devices() -> Response:
        return reply({"devices": services.devices.describe_all()})

    @app.post("/reload")
    def reload() -> Response:
        report = services.reload()
        return fail(503, "the reload isn't over yet; the log will say how it went") if report is None else reply(report)

    @app.get("/tail")
    def tail() -> Response:
        wanted = frozenset(request.args.getlist("device"))
        request.environ["eventlet.minimum_write_chunk_size"] = 1  # each line at once
        return Response(_follow(services.live, wanted), content_type="application/x-ndjson")

    return app


def _follow(live: Live, wanted: frozenset[str]) -> Iterator[bytes]:
    """Yield a line a commit and device; an empty one now and then finds out who has gone."""
    lines: eventlet.queue.LightQueue = eventlet.queue.LightQueue(_MOST_WAITING)

    def keep(device: str, readings: Sequence[Reading]) -> None:
        if (not wanted or device in wanted) and not lines.full():
            wires = [orjson.Fragment(reading.wire()) for reading in readings]
            lines.put_nowait(orjson.dumps({"device": device, "readings": wires}) + b"\n")

    untap = live.tap(keep)
    try:
        yield b"\n"
        while True:
            try:
                yield lines.get(timeout=_KEEPALIVE_S)
            except eventlet.queue.Empty:
                yield b"\n"
    finally:
        untap()
