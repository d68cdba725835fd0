"""Where gateway.toml is, and where it says that the daemon is."""

import os
from pathlib import Path

from gateway.errors import ConfigError, ConfigProblem
from gateway.secrets import Secrets
from gateway.settings.document import Document
from gateway.settings.models import GatewaySettings
from gateway.settings.part import Part
from gateway.settings.references import References

VARIABLE = "GATEWAY_CONFIG"
FOLDER = "conf.d"
FILES = (Path("gateway.toml"), Path("/etc/telemetry-gateway/gateway.toml"))


def find_config(explicit: Path | None = None) -> Path:
    """Return ``explicit`` if given, else the first that exists of ``$GATEWAY_CONFIG`` and the usual places.

    Raises
    ------
    ConfigError
        There is none; says where it was looked for.
    """
    if explicit is not None:
        return explicit
    from_environment = os.environ.get(VARIABLE)
    candidates = ((Path(from_environment),) if from_environment else ()) + FILES
    for path in candidates:
        if path.exists():
            return path
    raise ConfigError([_nowhere(candidates, variable_set=bool(from_environment))])


def drop_ins(path: Path) -> tuple[Path, ...]:
    """Return the files that add to the configuration at ``path``, in their order: ``conf.d/*.toml`` beside it.

    Raises
    ------
    ConfigError
        The folder can't be looked into.
    """
    folder = path.parent / FOLDER
    try:
        found = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        cause, hint = (error.strerror or str(error)).lower(), "the user that runs the gateway must be able to read it"
        raise ConfigError([ConfigProblem(str(folder), "the folder", "a readable one", cause, hint)]) from error
    return tuple(path for path in found if path.suffix == ".toml" and not path.name.startswith("."))


def _nowhere(candidates: tuple[Path, ...], *, variable_set: bool) -> ConfigProblem:
    unset = "" if variable_set else f" (${VARIABLE} is not set)"
    return ConfigProblem(
        where="gateway.toml",
        key="the file",
        expected=f"one of {', '.join(map(str, candidates))}{unset}",
        found="none of them",
        hint="gatewayctl config sample > gateway.toml makes one; --config FILE names another",
    )


def control_socket(path: Path) -> Path:
    """Return where the daemon with this configuration has its control socket.

    Reads no more than it needs: other tables may have problems that a running daemon hasn't seen yet.

    Raises
    ------
    ConfigError
        The file can't be read, or its table ``[gateway]`` is wrong.
    """
    return _gateway(Document.read(path, references=_references())).control_socket


def state_dir(path: Path, text: str) -> Path:
    """Return the state folder of a configuration with this text, if it were at ``path``.

    Raises
    ------
    ConfigError
        It isn't TOML, or its table ``[gateway]`` is wrong.
    """
    return _gateway(Document(Part(path, text), references=_references())).state_dir


def _references() -> References:
    return References(os.environ, Secrets(), elsewhere=True)


def _gateway(document: Document) -> GatewaySettings:
    settings = document.check(GatewaySettings, ("gateway",))
    document.finish("gateway")
    assert settings is not None, "without settings there is a problem, and finish raises"
    return settings
