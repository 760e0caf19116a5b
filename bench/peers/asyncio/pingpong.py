"""pingpong.py TRIPS CONNECTIONS: on each connection, all at once, 64 bytes there and back, each receive with a timeout
that it does not need."""
import asyncio
import os
import time

import round

PATIENCE = 10  # s


class Echo(round.Echo):
    patience = PATIENCE


class Trips:
    """So many round trips, shared by all connections."""

    def __init__(self, count, connections):
        self.left = count
        self.running = connections
        self.latencies = []
        self.done = asyncio.get_running_loop().create_future()


class Client(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.loop = asyncio.get_running_loop()

    def start(self, trips):
        self.trips = trips
        self.ping()

    def ping(self):
        self.trips.left -= 1
        self.received = 0
        self.sent = time.monotonic()
        self.transport.write(round.MESSAGE)
        self.timer = self.loop.call_later(PATIENCE, self.transport.abort)

    def data_received(self, data):
        self.received += len(data)
        if self.received < len(round.MESSAGE):
            return
        self.timer.cancel()
        trips = self.trips
        trips.latencies.append(time.monotonic() - self.sent)
        if trips.left > 0:
            self.ping()
            return
        trips.running -= 1
        if trips.running == 0:
            trips.done.set_result(True)


async def main():
    count, connections = round.argument(1), round.argument(2)
    loop = asyncio.get_running_loop()
    _, port = await round.listen(Echo)
    clients = [(await loop.create_connection(Client, "127.0.0.1", port))[1] for _ in range(connections)]

    async def on_each(count):
        trips = Trips(count, connections)
        for client in clients:
            client.start(trips)
        await trips.done
        return trips.latencies

    await on_each(count // 10 + connections)
    started = round.start()
    latencies = await on_each(count)
    took = round.finish(started)
    latencies.sort()
    round.show({"rate": len(latencies) / took[0], "cpu_rate": len(latencies) / took[1],
                "median_us": round.quantile(latencies, 0.5) * 1e6, "p99_us": round.quantile(latencies, 0.99) * 1e6})
    os._exit(0)


round.run(main())
