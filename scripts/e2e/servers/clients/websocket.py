"""Text, bytes, a message in pieces, a ping and a long answer; with compression and without."""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.client import connect


async def talk(url: str, compression: str | None) -> None:
    """One connection."""
    async with connect(url, compression=compression, ping_interval=None, max_size=None) as one:
        for message in ("pendulum", b"\x00\xff brass", ["cu", "ck", "oo"]):
            await one.send(message)
            said = await one.recv()
            assert said == ("cuckoo" if isinstance(message, list) else message), said
        await (await one.ping(b"spring"))
        await one.send("strike")
        assert len(await one.recv()) == 60_000
        await one.close(1000, "wound down")


async def main(address: str, port: str) -> None:
    """Two connections, and one that is refused."""
    url = f"ws://{address}:{port}/clock"
    await talk(url, "deflate")
    await talk(url, None)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
