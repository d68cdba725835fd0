"""Secrets that every user of the machine can read."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.adapter import AdapterConfig
from gateway.secrets import has_password, is_secret_key
from gateway.settings import Document
from gateway.settings.toml_lines import Path as Place


def warnings(document: Document, configs: Sequence[AdapterConfig]) -> Iterator[str]:
    """Yield a line for each secret that is not kept to the gateway and its owner.

    Parameters
    ----------
    document
        The whole configuration, without problems.
    configs
        Its adapters, all of them and in their order.
    """
    for index, config in enumerate(configs):
        at: Place = ("adapters", index)
        for key, path in config.secret_files().items():
            if _is_open(path):
                yield f"{document.where((*at, key))}: every user of this machine can read {path}; chmod o= {path}"
        for place in _written_out(document.written(at), at):
            if _is_open(file := document.file(place)):
                yield (
                    f"{document.where(place)}: every user of this machine can read this file with a password; "
                    f'chmod o= {file}, or refer to it: a password_file, "${{NAME}}", "${{credential:NAME}}"'
                )


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False  # what can't be read is told when it is


def _written_out(value: object, at: Place) -> Iterator[Place]:
    """Yield where a secret stands as it is, and no reference to it."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _written_out(each, (*at, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _written_out(each, (*at, index))
    elif isinstance(value, str) and value and "${" not in value and (is_secret_key(str(at[-1])) or has_password(value)):
        yield at
