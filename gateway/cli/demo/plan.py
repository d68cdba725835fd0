"""Where the demo keeps what, and its gateway.toml."""

import json
from importlib.resources import files
from pathlib import Path
from string import Template

from gateway.cli.demo.broker import Broker
from gateway.cli.demo.ready import is_ready


class Plan:
    """The demo's configuration file.

    Parameters
    ----------
    folder
        Absolute path of the demo's folder.
    web_port
        Of the page, on the loopback.
    broker
        What the sensors publish to.
    """

    def __init__(self, folder: Path, web_port: int, broker: Broker) -> None:
        self.web_port = web_port
        self.broker = broker
        self.file = folder / "gateway.toml"
        self.serial_link = folder / "ttyDEMO"
        template = files("gateway.cli.demo").joinpath("gateway.toml.template").read_text("utf-8")
        self.text = Template(template).substitute(
            web_port=web_port,
            broker_port=broker.port,
            broker_settings=broker.settings,
            # A JSON string is a TOML string, whatever signs the path has.
            serial_link=json.dumps(str(self.serial_link), ensure_ascii=False),
        )

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.web_port}/"

    def write(self) -> None:
        """Put the configuration into its file, and forget an earlier demo's serial port."""
        self.serial_link.unlink(missing_ok=True)
        self.file.write_text(self.text, "utf-8")

    def answers(self) -> bool:
        """Tell whether the gateway is ready."""
        return is_ready(self.web_port)
