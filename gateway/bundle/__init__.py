"""What a bug report needs, in one file, without secrets and without readings."""

from gateway.bundle.bundle import collect, write
from gateway.bundle.cleaning import Cleaning

__all__ = ["Cleaning", "collect", "write"]
