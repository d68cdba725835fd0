"""What machines look at: is it alive, is it ready, how is it doing."""

from flask import Blueprint, Response, request

from gateway.web.replies import reply
from gateway.web.services import Services


def blueprint(services: Services) -> Blueprint:
    """Return the routes; each answers from memory."""
    probes = Blueprint("probes", __name__)

    @probes.get("/healthz")
    def healthz() -> Response:
        return reply({"ok": True})

    @probes.get("/readyz")
    def readyz() -> Response:
        reasons = services.unready()
        return reply({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @probes.get("/metrics")
    def metrics() -> Response:
        body, content_type = services.metrics(request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)

    return probes
