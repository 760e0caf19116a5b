"""What every peer in Python needs besides its loop. With "uvloop" as the last argument, the loop is uvloop's."""
import asyncio
import gc
import json
import math
import sys
import time

MESSAGE = b"x" * 64
LEAD = 4  # seconds before the first is due


def argument(index):
    return int(sys.argv[index])


def run(main):
    if sys.argv[-1] == "uvloop":
        import uvloop
        uvloop.install()
    asyncio.run(main)


def start():
    return time.monotonic(), time.process_time()


def finish(started):
    return time.monotonic() - started[0], time.process_time() - started[1]


def show(values):
    print(json.dumps(values), flush=True)


def show_rate(amount, took):
    show({"rate": amount / took[0], "cpu_rate": amount / took[1]})


def quantile(ordered, share):
    return ordered[max(1, math.ceil(len(ordered) * share)) - 1]


def resident_bytes():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


class Echo(asyncio.Protocol):
    """The echo server that churn and ping-pong share."""
    patience = None  # seconds for each receive

    def connection_made(self, transport):
        self.transport = transport
        self.timer = None
        self.wait()

    def wait(self):
        if self.patience:
            self.timer = asyncio.get_running_loop().call_later(self.patience, self.transport.abort)

    def stop(self):
        if self.timer:
            self.timer.cancel()

    def data_received(self, data):
        self.stop()
        self.transport.write(data)
        self.wait()

    def connection_lost(self, reason):
        self.stop()


async def listen(protocol, backlog=4096):
    """Listens on loopback, at a port that the kernel chooses; returns the server and its port."""
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=backlog)
    return server, server.sockets[0].getsockname()[1]
