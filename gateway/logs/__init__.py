"""Logging that never blocks the hub, floods nobody, and says what it left out."""

from gateway.logs.background import BackgroundHandler, dropped_lines, set_up
from gateway.logs.formats import FORMATS
from gateway.logs.often import Defects, Throttled

__all__ = ["FORMATS", "BackgroundHandler", "Defects", "Throttled", "dropped_lines", "set_up"]
