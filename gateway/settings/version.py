"""Which format a configuration is written in; looked at before anything else is."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from gateway.settings.document import Document
from gateway.settings.models import VERSION, unmet


def _check_version(version: int) -> int:
    if version > VERSION:
        raise unmet(
            f"at most {VERSION}",
            "the file is for a newer gateway, which this one can't read; upgrade, or take an older file",
        )
    if version < VERSION:
        raise unmet(f"{VERSION}", "no gateway had an older format")
    return version


class _Versioned(BaseModel):
    version: Annotated[int, AfterValidator(_check_version)] = VERSION


def check_version(document: Document) -> None:
    """Refuse a file of another version, and say nothing else of it: what is wrong with the rest, nobody can know.

    Raises
    ------
    ConfigError
        With the line of the version.
    """
    document.check(_Versioned)
    document.finish("version")
