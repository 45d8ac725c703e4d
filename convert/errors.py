"""What can go wrong, each with the exit code that the command line gives it (docs/formats.md lists them)."""

from __future__ import annotations

EXIT_DONE = 0
EXIT_FOUND = 1
EXIT_USAGE = 2
EXIT_NO_INPUT = 3
EXIT_DAMAGED = 4
EXIT_MACHINE = 5
EXIT_OUR_FAULT = 70
EXIT_INTERRUPTED = 130


class SyswireError(Exception):
    """Base of all errors that a user is told in one line; `exit_code` is the process's."""

    exit_code = EXIT_OUR_FAULT


class UsageError(SyswireError):
    """The call itself is wrong: an option, an output that is an input, a directory of another case."""

    exit_code = EXIT_USAGE


class InputError(SyswireError):
    """An input cannot be read at all: missing, not a capture, not even its first block whole."""

    exit_code = EXIT_NO_INPUT


class MachineError(SyswireError):
    """The machine lacks something (a library, space, permission); the message names the remedy."""

    exit_code = EXIT_MACHINE
