"""Durations, sizes and paths as people write them in TOML: ``"30s"``, ``"30d"``, ``"1GiB"``, ``"ca.pem"``."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

BASE = "base"
"""Key of the validation context: the folder of the file that is read."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES = {"": 1, "B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", re.ASCII)


def _amount(text: object, units: dict[str, float] | dict[str, int], example: str) -> float:
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise ValueError(f"expected {example}")  # noqa: TRY004  pydantic turns ValueError into its own
    match = _AMOUNT.fullmatch(str(text))
    unit = match[2] if match else "?"
    if match is None or unit not in units:
        raise ValueError(f"expected {example}; units: {', '.join(u for u in units if u)}")
    return float(match[1]) * units[unit]


def duration_s(text: object) -> float:
    """Return seconds of ``"500ms"``, ``"30s"``, ``"12h"``, ``"30d"``; a bare number is refused."""
    return _amount(text, _SECONDS, 'a duration such as "30s" or "12h"')


def size_bytes(text: object) -> int:
    """Return bytes of ``"512MiB"``, ``"1GB"``, or of a bare number."""
    return int(_amount(text, _BYTES, 'a size such as "512MiB" or "1GB"'))


def _from_base(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get(BASE, "")) / path


_AS_TEXT = {"type": "string"}

Duration = Annotated[float, BeforeValidator(duration_s), Field(gt=0, examples=["30s"], json_schema_extra=_AS_TEXT)]
"""Seconds, written as text with a unit."""
Size = Annotated[int, BeforeValidator(size_bytes), Field(gt=0, examples=["1MiB"], json_schema_extra=_AS_TEXT)]
"""Bytes, written as text with a unit."""
ConfigPath = Annotated[Path, AfterValidator(_from_base)]
"""A path that is relative to the file in which it is written, not to wherever the daemon was started."""
