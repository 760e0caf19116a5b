"""stale_replay.py RUNS JOBS: experiments/stale_replay.lua by hand, with network namespaces of ip(8) and plain sockets.

So many runs are done, so many at a time, each on three namespaces of its own. A run takes as few ip processes as it can:
one makes the namespaces and the links, one for each namespace sets it up, one deletes all. Python and its modules are
loaded once.
"""
import ctypes
import errno
import fcntl
import json
import multiprocessing
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = 0.2  # seconds
LONG = 60  # seconds; bounds waits for what does come
PORT = 7300
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, IFF_RUNNING = 0x8913, 0x40
TCP_INFO_BYTES, UNACKED_AT = 104, 24  # of a listener, tcpi_unacked is the depth of its queue
CLOSE_WAIT, CLOSE = 8, 7

libc = ctypes.CDLL(None, use_errno=True)


def ip(words, lines):
    subprocess.run(["ip", *words, "-batch", "-"], input="\n".join(lines), text=True, check=True)


class Laboratory:
    """A server and two clients, each in a namespace, with a link from the server to each client."""

    def __init__(self, number):
        self.names = [f"{name}{number}" for name in ("server", "a", "b")]
        server, a, b = self.names
        ip([], [f"netns add {name}" for name in self.names]
           + [f"link add eth0 netns {server} type veth peer name eth0 netns {a}",
              f"link add eth1 netns {server} type veth peer name eth0 netns {b}"])
        ip(["-n", server], ["link set lo up", "address add 10.0.0.1/24 dev eth0", "address add 10.0.1.1/24 dev eth1",
                            "link set eth0 up", "link set eth1 up"])
        for i, name in enumerate((a, b)):
            ip(["-n", name], ["link set lo up", f"address add 10.0.{i}.2/24 dev eth0", "link set eth0 up"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ip([], [f"netns delete {name}" for name in self.names])

    def socket(self, i):
        """A socket in a namespace, which stays there."""
        with open("/proc/self/ns/net") as home, open(f"/run/netns/{self.names[i]}") as namespace:
            self.enter(namespace)
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.enter(home)
        made.settimeout(LONG)
        return made

    @staticmethod
    def enter(namespace):
        if libc.setns(namespace.fileno(), CLONE_NEWNET) == -1:
            raise OSError(ctypes.get_errno(), "setns")


def wait_until(is_so):
    deadline, pause = time.monotonic() + LONG, 0.00002
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(pause)
        pause = min(2 * pause, 0.001)


def is_running(any_socket, interface):
    flags = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sH14x", interface, 0))
    return struct.unpack("16sH14x", flags)[1] & IFF_RUNNING != 0


def info(any_socket):
    return any_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)


def depth(listener):
    return struct.unpack_from("I", info(listener), UNACKED_AT)[0]


def state(connection):
    return info(connection)[0]


def read_line(connection):
    line = b""
    while not line.endswith(b"\n"):
        data = connection.recv(4096)
        if not data:
            return None
        line += data
    return line.decode().strip()


def run(number):
    with Laboratory(f"{os.getpid()}-{number}") as laboratory:
        listener, a, b = (laboratory.socket(i) for i in range(3))
        listener.bind(("", PORT))
        listener.listen(100)
        for end, interface in ((listener, b"eth0"), (listener, b"eth1"), (a, b"eth0"), (b, b"eth0")):
            wait_until(lambda: is_running(end, interface))

        served = []
        a.connect(("10.0.0.1", PORT))
        a.sendall(b"login A\n")
        connection, _ = listener.accept()
        connection.settimeout(LONG)
        served.append(read_line(connection))
        connection.sendall(b"done login A\n")
        assert read_line(a) == "done login A"

        started = time.monotonic()
        b.connect(("10.0.1.1", PORT))
        seconds, b_state = time.monotonic() - started, state(b)
        b.sendall(b"login B\n")
        wait_until(lambda: depth(listener) == 1)
        b.settimeout(PATIENCE)
        try:
            b.recv(4096)
            b_error = None
        except TimeoutError:
            b_error = "TIMEOUT"
        before = depth(listener)
        b.close()
        after = depth(listener)
        a.close()
        assert read_line(connection) is None
        connection.close()

        ghost, _ = listener.accept()
        ghost.settimeout(LONG)
        wait_until(lambda: state(ghost) == CLOSE_WAIT)
        served.append(read_line(ghost))
        ghost.sendall(b"done login B\n")
        wait_until(lambda: state(ghost) == CLOSE)
        try:
            ghost.sendall(b"goodbye\n")
            second_reply = "sent"
        except OSError as error:
            second_reply = errno.errorcode[error.errno]
        ghost.close()
        listener.close()
    assert (b_error, before, after, second_reply) == ("TIMEOUT", 1, 1, "EPIPE"), (b_error, before, after, second_reply)
    assert served == ["login A", "login B"], served
    return {"b_connect_seconds": seconds, "b_state": b_state, "b_error": b_error, "queue_before_b_left": before,
            "queue_after_b_left": after, "served": served, "second_reply": second_reply}


def run_and_store(job):
    directory, number = job
    with open(f"{directory}/{number}.json", "w") as file:
        json.dump(run(number), file)


def main():
    runs, jobs = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as directory:
        with multiprocessing.Pool(jobs) as pool:
            pool.map(run_and_store, [(directory, i) for i in range(runs)], 1)
            pool.close()
            pool.join()
        assert len(os.listdir(directory)) == runs


main()
