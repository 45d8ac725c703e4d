from .headers import DescriptorEntry
from .state import State

def load_thread(state: State, tid: int, pid: int, flags: int, cwd: bytes, version: int, container: int) -> None:
    """A thread of the process list. Threads with CLONE_FILES share the descriptors of their main thread."""

def load_interface(state: State, family: int, address: bytes, netmask: bytes) -> None:
    """An interface's address; 64 are kept."""

def load_descriptor(state: State, entry: DescriptorEntry, tid: int, fd: int, server: bool, shared: int) -> int:
    """A descriptor of a thread's fd list; returns the description's index, 0 where the tables are full."""
