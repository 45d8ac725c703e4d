"""pyftpdlib with one user."""

from __future__ import annotations

import sys

from pyftpdlib.authorizers import DummyAuthorizer  # type: ignore[import-untyped]
from pyftpdlib.handlers import FTPHandler  # type: ignore[import-untyped]
from pyftpdlib.servers import FTPServer  # type: ignore[import-untyped]


class Handler(FTPHandler):  # type: ignore[misc]
    """Refuses a password at once."""

    auth_failed_timeout = 0.1
    banner = "Cellar ready."


def main(address: str, port: str, folder: str) -> None:
    """Serve the folder to `cooper`."""
    Handler.authorizer = DummyAuthorizer()
    Handler.authorizer.add_user("cooper", "Oak-stave3", folder, perm="elradfmw")
    FTPServer((address, int(port)), Handler).serve_forever(handle_exit=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
