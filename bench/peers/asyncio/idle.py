"""idle.py PAIRS: connections of which one end each is read; how much memory a pair takes."""
import asyncio
import os

import round


class Near(asyncio.Protocol):
    def connection_made(self, transport):
        transport.pause_reading()


async def main():
    pairs = round.argument(1)
    loop = asyncio.get_running_loop()
    far = []

    class Far(asyncio.Protocol):
        def connection_made(self, transport):
            far.append(self)

    _, port = await round.listen(Far)
    before = round.resident_bytes()
    near = [await loop.create_connection(Near, "127.0.0.1", port) for _ in range(pairs)]
    while len(far) < len(near):
        await asyncio.sleep(0.01)
    round.show({"bytes": (round.resident_bytes() - before) // pairs})
    os._exit(0)


round.run(main())
