"""What is wrong with this box: checks that take facts and return findings, and each finding has its remedy.

One module a field. Sources look for their own faults: ``Adapter.examine``. Nothing here needs a running
daemon, disturbs one, or changes anything on the machine.
"""

from gateway.doctor.doctor import Doctor
from gateway.doctor.facts import Facts, Running, SourceState

__all__ = ["Doctor", "Facts", "Running", "SourceState"]
