"""The pages: templates that know names only; all else comes by Socket.IO and the API."""

from flask import Blueprint, abort, render_template

from gateway.model import check_device_id
from gateway.web.services import Services


def blueprint(services: Services) -> Blueprint:
    """Return the pages' routes."""
    pages = Blueprint("pages", __name__)

    @pages.app_context_processor
    def names() -> dict[str, str]:
        """Let every template know whose page it is, the one for errors too."""
        return {"gateway_name": services.name(), "version": services.version}

    @pages.get("/")
    def overview() -> str:
        return render_template("index.html", configuration=services.configuration)

    @pages.get("/devices/<device_id>")
    def device(device_id: str) -> str:
        try:
            check_device_id(device_id)
        except ValueError as error:
            abort(404, f"{device_id!r} can't be a device: it {error}")
        return render_template("device.html", device_id=device_id)

    @pages.get("/rejects")
    def rejects() -> str:
        return render_template("rejects.html")

    @pages.get("/status")
    def status() -> str:
        return render_template("status.html")

    return pages
