"""What the global options say."""

from dataclasses import dataclass
from pathlib import Path

from gateway.cli.control import Control


@dataclass(frozen=True, slots=True)
class Options:
    """``--config`` and ``--socket``, as far as they were given."""

    config: Path | None
    socket: Path | None

    def config_file(self) -> Path:
        """Return which configuration is meant; raises ``ConfigError`` if there is none."""
        from gateway.settings import find_config  # noqa: PLC0415  pydantic: not at each TAB of shell completion

        return find_config(self.config)

    def control(self) -> Control:
        """Return the way to the daemon; raises ``ConfigError`` if nothing says where its socket is."""
        if self.socket is not None:
            return Control(self.socket, "gatewayd")
        from gateway.settings import control_socket  # noqa: PLC0415  see above

        path = self.config_file()
        return Control(control_socket(path), f"gatewayd --config {path}")

    def journal(self) -> Path:
        """Return where the journal is: beside the control socket; raises ``ConfigError`` if nothing says where."""
        from gateway.settings import control_socket  # noqa: PLC0415  see above

        socket = control_socket(self.config_file()) if self.socket is None else self.socket
        return socket.with_name("journal.db")
