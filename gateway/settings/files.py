"""Where gateway.toml is."""

import os
from pathlib import Path

from gateway.errors import ConfigError, ConfigProblem

VARIABLE = "GATEWAY_CONFIG"
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


def _nowhere(candidates: tuple[Path, ...], *, variable_set: bool) -> ConfigProblem:
    unset = "" if variable_set else f" (${VARIABLE} is not set)"
    return ConfigProblem(
        where="gateway.toml",
        key="the file",
        expected=f"one of {', '.join(map(str, candidates))}{unset}",
        found="none of them",
        hint="gatewayctl config sample > gateway.toml makes one; --config FILE names another",
    )
