"""A gateway in one file: its journal and its configuration; made while it runs, restored when it doesn't."""

from gateway.backup.archive import BackupError, Manifest
from gateway.backup.making import make
from gateway.backup.restoring import Restored, restore

__all__ = ["BackupError", "Manifest", "Restored", "make", "restore"]
