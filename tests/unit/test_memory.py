"""The settings of the allocator, in processes of their own: they can't be taken back."""

import platform
import subprocess
import sys

import pytest

HEAPS = """
import ctypes, threading
from gateway.memory import few_arenas

assert few_arenas()
libc = ctypes.CDLL(None)
gate = threading.Barrier(9)

def take():
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc(100_000)
    gate.wait(10.0)

threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
gate.wait(10.0)
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fflush.argtypes = [ctypes.c_void_p]
out = libc.fopen(b"/dev/stdout", b"w")
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_eight_threads_share_two_heaps():
    found = subprocess.run([sys.executable, "-c", HEAPS], capture_output=True, check=True, timeout=30.0).stdout
    assert found.count(b"<heap nr=") <= 2


CYCLES = """
import gc, weakref
from gateway.memory import search_seldom_for_cycles

class Knot:
    def __init__(self):
        self.me = self

search_seldom_for_cycles()
left = len(gc.get_objects())
first = weakref.ref(Knot())
knots = [Knot() for _ in range(2_000)]
assert first() is not None, "the search began early"
knots = [Knot() for _ in range(20_000)]
assert first() is None, "the search never began"
print(left)
"""


def test_cycles_are_searched_for_later_and_not_among_what_was_there():
    found = subprocess.run([sys.executable, "-c", CYCLES], capture_output=True, check=True, timeout=30.0).stdout
    assert int(found) < 1000
