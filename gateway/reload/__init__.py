"""A changed configuration takes effect while the gateway runs; what isn't changed doesn't notice."""

from gateway.reload.reload import Reload, read_again
from gateway.reload.report import Change, Report

__all__ = ["Change", "Reload", "Report", "read_again"]
