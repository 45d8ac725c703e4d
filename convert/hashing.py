"""SHA-256 of a capture as it is stored, beside the reading. Apart from source.py, which `read` needs without it."""

from __future__ import annotations

import hashlib
import threading

from .errors import InputError

STEP = 1 << 20


class Hasher(threading.Thread):
    """SHA-256 of a file's stored bytes, computed beside other work; `digest()` waits for it."""

    def __init__(self, path: str) -> None:
        super().__init__(name="sha256", daemon=True)
        self._path = path
        self._hash = hashlib.sha256()
        self._error: OSError | None = None
        self.start()

    def run(self) -> None:
        """Read the file once, in pieces large enough that hashlib releases the interpreter lock."""
        try:
            with open(self._path, "rb", buffering=0) as file:
                buffer = bytearray(STEP)
                view = memoryview(buffer)
                while count := file.readinto(buffer):
                    self._hash.update(view[:count])
        except OSError as error:
            self._error = error

    def digest(self) -> str:
        """The hash as 64 hex digits. Raises InputError where the file could not be read to its end."""
        self.join()
        if self._error is not None:
            raise InputError(f"{self._path}: {self._error.strerror}")
        return self._hash.hexdigest()
