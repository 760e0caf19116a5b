"""churn.py CYCLES CLIENTS: each client connects, sends, has it back and closes, and again."""
import asyncio

import round


class Client(asyncio.Protocol):
    def __init__(self, closed):
        self.closed = closed
        self.received = 0

    def connection_made(self, transport):
        self.transport = transport
        transport.write(round.MESSAGE)

    def data_received(self, data):
        self.received += len(data)
        if self.received == len(round.MESSAGE):
            self.transport.close()

    def connection_lost(self, reason):
        self.closed.set_result(True)


async def run(cycles, clients):
    loop = asyncio.get_running_loop()
    server, port = await round.listen(round.Echo)

    async def client():
        nonlocal cycles
        while cycles > 0:
            cycles -= 1
            closed = loop.create_future()
            await loop.create_connection(lambda: Client(closed), "127.0.0.1", port)
            await closed

    await asyncio.gather(*(client() for _ in range(clients)))
    server.close()


async def main():
    cycles, clients = round.argument(1), round.argument(2)
    await run(cycles // 10 + clients, clients)
    started = round.start()
    await run(cycles, clients)
    round.show_rate(cycles, round.finish(started))


round.run(main())
