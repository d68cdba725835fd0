"""The pages: templates that know names only; all else comes by Socket.IO and the API."""

from flask import Blueprint, abort, render_template

from gateway.model import check_device_id
from gateway.web.services import Services


def blueprint(services: Services) -> Blueprint:
    """Return the pages' routes."""
    pages = Blueprint("pages", __name__)

    def page(template: str, **more: str) -> str:
        return render_template(template, gateway_name=services.name, version=services.version, **more)

    @pages.get("/")
    def overview() -> str:
        return page("index.html")

    @pages.get("/devices/<device_id>")
    def device(device_id: str) -> str:
        try:
            check_device_id(device_id)
        except ValueError as error:
            abort(404, f"{device_id!r} can't be a device: it {error}")
        return page("device.html", device_id=device_id)

    @pages.get("/status")
    def status() -> str:
        return page("status.html")

    return pages
