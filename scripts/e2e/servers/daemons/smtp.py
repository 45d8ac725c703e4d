"""aiosmtpd with AUTH and STARTTLS; takes all mail but that for one recipient."""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Handler:
    """Throws mail away."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """One mailbox is not there."""
        if address.startswith("nobody@"):
            return "550 no such box"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Taken."""
        return "250 sorted"


def judge(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """The postmaster's password."""
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"postie", b"Red-pillar2")
    return AuthResult(success=right, handled=False)


async def serve(address: str, port: int, certificate: str) -> None:
    """Until the process ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def factory() -> SMTP:
        return SMTP(
            Handler(), hostname="sorting.example", ident="Sorting office", tls_context=context,
            auth_require_tls=False, authenticator=judge,
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(factory, address, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
