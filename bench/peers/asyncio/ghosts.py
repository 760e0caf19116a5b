"""ghosts.py COUNT: clients connect, send and leave, one after another, while nobody accepts; then all are accepted and
read to their end. The listening socket is made without asyncio, whose server accepts from then on."""
import asyncio
import socket

import round


class Ghost(asyncio.Protocol):
    drained = 0

    def connection_lost(self, reason):
        Ghost.drained += 1
        if Ghost.drained == Ghost.count:
            Ghost.done.set_result(True)


async def fill(loop, address, count):
    for _ in range(count):
        with socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, address)
            await loop.sock_sendall(client, round.MESSAGE)


async def main():
    Ghost.count = round.argument(1)
    loop = asyncio.get_running_loop()
    Ghost.done = loop.create_future()
    listening = socket.create_server(("127.0.0.1", 0), backlog=Ghost.count)
    listening.setblocking(False)

    started = round.start()
    await fill(loop, listening.getsockname(), Ghost.count)
    filled = round.finish(started)

    started = round.start()
    await loop.create_server(Ghost, sock=listening, backlog=Ghost.count)
    await Ghost.done
    drained = round.finish(started)
    round.show({"fill": Ghost.count / filled[0], "cpu_fill": Ghost.count / filled[1],
                "drain": Ghost.count / drained[0], "cpu_drain": Ghost.count / drained[1]})


round.run(main())
