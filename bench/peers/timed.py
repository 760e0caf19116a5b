"""timed.py RUNS WORDS...: runs a program that does so many runs. Prints how many a second, and the processor time of
one run in ms: cpu_ms is that of the program and of all its children that it has waited for; machine_ms is all that the
machine did meanwhile, the kernel's own threads among it, which take down network namespaces. "{}" among the words becomes
a directory that is removed at the end."""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

SETTLE = 1  # seconds: the kernel takes namespaces down after the program has ended


def busy_seconds():
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


runs, words = int(sys.argv[1]), sys.argv[2:]
before = busy_seconds()
with tempfile.TemporaryDirectory() as directory:
    words = [word.replace("{}", directory) for word in words]
    started = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.monotonic() - started
time.sleep(SETTLE)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"rate": runs / took, "cpu_ms": (used.ru_utime + used.ru_stime) / runs * 1e3,
                  "machine_ms": (busy_seconds() - before) / runs * 1e3}))
