"""Bytes to frames: where one message ends and the next begins. One file a framing."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.framing.frame import Frame, Framing
from gateway.framing.line import LineFraming

FRAMINGS: Mapping[str, Callable[[], Framing]] = MappingProxyType({"line": LineFraming})
"""Every framing by the name that gateway.toml gives it; each works with its default limits."""

__all__ = ["FRAMINGS", "Frame", "Framing", "LineFraming"]
