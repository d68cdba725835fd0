"""A ``systemctl`` that answers as systemd's does."""

import os
import sys
from pathlib import Path

from tests.support.faults.box import Box

NOT_REAL = "Not systemd: a `systemctl` that answers as it does"


def systemd(box: Box, **properties: str) -> None:
    """Let systemctl answer with an enabled unit that runs, but for ``properties``."""
    gatewayd = Path(sys.executable).with_name("gatewayd")
    all_ = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "UnitFileState": "enabled",
        "FragmentPath": "/usr/lib/systemd/system/telemetry-gateway.service",
        "NeedDaemonReload": "no",
        "ExecStart": f"{{ path={gatewayd} ; argv[]={gatewayd} --config {box.config} ; ignore_errors=no ; }}",
        "Result": "success",
        "ExecMainStatus": "0",
        "LimitNOFILE": "8192",
        **properties,
    }
    folder = box.folder / "bin"
    folder.mkdir()
    lines = "\n".join(f"{key}={value}" for key, value in all_.items())
    program = folder / "systemctl"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\n")
    program.chmod(0o755)
    box.env["PATH"] = f"{folder}:{os.environ['PATH']}"
