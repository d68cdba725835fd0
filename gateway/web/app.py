"""The Flask app: pages, API, and the headers that every answer carries."""

from flask import Flask, Response, request

from gateway.web import api, pages, probes, rejects
from gateway.web.guard import CONTENT_SECURITY_POLICY
from gateway.web.replies import handle_errors
from gateway.web.services import Services


def create() -> Flask:
    """Return the app, still without routes: Socket.IO is attached to it before there is anything to show."""
    app = Flask("gateway.web")
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 0  # revalidate: an upgrade must not meet an old script
    handle_errors(app)

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    @app.teardown_request
    def forget(_: BaseException | None) -> None:
        request.routing_exception = None  # else each 404 is a cycle with its traceback: garbage that is searched for

    return app


def add_routes(app: Flask, services: Services) -> None:
    """Let ``app`` show the gateway."""
    app.register_blueprint(pages.blueprint(services))
    app.register_blueprint(api.blueprint(services))
    app.register_blueprint(probes.blueprint(services))
    app.register_blueprint(rejects.blueprint(services.rejects, "/api/v1"))
