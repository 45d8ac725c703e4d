"""A websockets server that says everything back, and a long answer when asked for one."""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve


async def echo(connection: ServerConnection) -> None:
    """Until the client closes."""
    async for message in connection:
        await connection.send("tick tock " * 6_000 if message == "strike" else message)


async def main(address: str, port: int) -> None:
    """Until the process ends."""
    async with serve(echo, address, port, ping_interval=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
