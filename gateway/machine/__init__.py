"""What Linux says of this machine: who may open a file, and who has it open. Reads, and changes nothing."""

from gateway.machine.processes import Process, called, holders, listeners, lock_holder
from gateway.machine.users import User

__all__ = ["Process", "User", "called", "holders", "listeners", "lock_holder"]
