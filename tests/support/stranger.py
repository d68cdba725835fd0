"""gatewayctl as a user without rights.

    python stranger.py UID GID [gatewayctl's own arguments]

gives root's rights up itself: an interpreter in root's home, which others may not enter, would not even start.
"""

import codecs
import os
import sys
from importlib.metadata import version


def _load() -> None:
    """Import what is imported late."""
    import encodings.ascii
    import encodings.idna
    import encodings.unicode_escape
    import encodings.utf_8_sig  # noqa: F401
    import gzip  # noqa: F401

    import adapters.mqtt
    import adapters.serial_port  # noqa: F401
    import gateway.backup
    import gateway.bundle
    import gateway.cli.backup
    import gateway.cli.bundle
    import gateway.cli.check
    import gateway.cli.doctor
    import gateway.cli.doctor_facts
    import gateway.cli.export
    import gateway.doctor
    import gateway.journal.exporting  # noqa: F401

    codecs.lookup("utf-8-sig")
    version("telemetry-gateway")


def _run() -> None:
    uid, gid = int(sys.argv.pop(1)), int(sys.argv.pop(1))
    _load()
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    from gateway.cli import main

    main()


if __name__ == "__main__":
    _run()
