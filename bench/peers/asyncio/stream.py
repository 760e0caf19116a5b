"""stream.py MEBIBYTES: one connection, sends of 64 KiB one after another; the other end reads to the end."""
import asyncio

import round

CHUNK = b"x" * (64 * 1024)


class Sink(asyncio.BufferedProtocol):
    memory = memoryview(bytearray(len(CHUNK)))
    received = 0

    def get_buffer(self, hint):
        return self.memory

    def buffer_updated(self, size):
        Sink.received += size

    def connection_lost(self, reason):
        Sink.done.set_result(True)


class Source(asyncio.Protocol):
    def __init__(self, chunks):
        self.chunks_left = chunks
        self.is_paused = False

    def connection_made(self, transport):
        self.transport = transport
        self.send()

    def pause_writing(self):
        self.is_paused = True

    def resume_writing(self):
        self.is_paused = False
        asyncio.get_running_loop().call_soon(self.send)  # the transport must not be closed in here

    def send(self):
        while self.chunks_left > 0 and not self.is_paused:
            self.chunks_left -= 1
            self.transport.write(CHUNK)
        if self.chunks_left == 0:
            self.transport.close()


async def main():
    mebibytes = round.argument(1)
    loop = asyncio.get_running_loop()
    Sink.done = loop.create_future()
    _, port = await round.listen(Sink)
    started = round.start()
    await loop.create_connection(lambda: Source(mebibytes * 16), "127.0.0.1", port)
    await Sink.done
    assert Sink.received == mebibytes * 2**20
    round.show_rate(mebibytes, round.finish(started))


round.run(main())
