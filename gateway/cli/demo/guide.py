"""What the demo tells the person in front of it."""

import shlex
import shutil
import sys

import click

from gateway.cli.demo.plan import Plan

_GUIDE = """
  {title}

      {address}

  What runs: {broker} on port {broker_port}, three sensors that publish to it, one on a serial port
  ({serial}), and the gateway that reads them.

  Be a sensor yourself, and watch "kitchen" appear:
      {publish}

  Its configuration, to copy for sensors of your own (the page's data and the logs are beside it):
      {file}

  Ctrl-C stops everything.
"""


def guide(plan: Plan) -> str:
    """Return what runs, where the page is, and what to try."""
    return _GUIDE.format(
        title=click.style("The gateway is ready. Open this page:", bold=True),
        address=click.style(plan.address, fg="cyan", bold=True, underline=True),
        broker=plan.broker.name,
        broker_port=plan.broker.port,
        serial=plan.serial_link.name,
        publish=_publish_command(plan.broker.port),
        file=plan.file,
    )


def _publish_command(port: int) -> str:
    payload = '{"temperature": 21.5}'
    if shutil.which("mosquitto_pub"):
        return f"mosquitto_pub -p {port} -t sensors/kitchen -m {shlex.quote(payload)}"
    code = f"from paho.mqtt.publish import single; single('sensors/kitchen', '{payload}', port={port})"
    return shlex.join([sys.executable, "-c", code])
