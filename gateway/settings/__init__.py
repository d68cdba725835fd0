"""gateway.toml: where it is, what may stand in it, and on which line what is wrong."""

from gateway.settings.document import Document
from gateway.settings.files import control_socket, drop_ins, find_config, state_dir
from gateway.settings.models import GatewaySettings, JournalSettings, Settings, WebSettings
from gateway.settings.part import Part
from gateway.settings.references import References
from gateway.settings.version import check_version

__all__ = [
    "Document",
    "GatewaySettings",
    "JournalSettings",
    "Part",
    "References",
    "Settings",
    "WebSettings",
    "check_version",
    "control_socket",
    "drop_ins",
    "find_config",
    "state_dir",
]
