#!/bin/bash
# libnl 3.7 (Debian 12, libnl-3-200 3.7.0-0.2+b1): an overrun is "Out of memory", too many files are nothing at all.
#
# Guess: nl_geterror(3) names what went wrong nearly as errno does: a full receive buffer, after which the program must
# ask for everything again (ENOBUFS, netlink(7)), has a code of its own, and so has a lack of descriptors (EMFILE).
#
# Seen: the table that maps errno to libnl's codes puts ENOBUFS and ENOMEM together, so that a monitor that fell behind is
# told "Out of memory" while gigabytes are free, and cannot tell the one case that it must repair. What is not in the
# table is NLE_FAILURE, "Unspecific failure": EMFILE, ENFILE, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, ENOSPC. Only
# errno, which later calls overwrite, still tells.
#
# Output: overrun: -5 Out of memory, errno ENOBUFS
#         no descriptor: -1 Unspecific failure, errno EMFILE
#         ENETUNREACH: 1 Unspecific failure
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download libnl-3-200=3.7.0-0.2+b1 >/dev/null 2>&1
dpkg-deb -x libnl-3-200_*.deb root
cat >errors.py <<'P'
import ctypes, errno, glob, os, resource, socket, subprocess

nl = ctypes.CDLL(glob.glob("root/lib/*/libnl-3.so.200")[0], use_errno=True)
nl.nl_socket_alloc.restype = ctypes.c_void_p
nl.nl_geterror.restype = ctypes.c_char_p
NETLINK_ROUTE, RTNLGRP_LINK = 0, 1

def words(result):
    name = errno.errorcode.get(ctypes.get_errno(), 0)
    return f"{result} {nl.nl_geterror(result).decode()}, errno {name}"

monitor = ctypes.c_void_p(nl.nl_socket_alloc())
assert nl.nl_connect(monitor, NETLINK_ROUTE) == 0
assert nl.nl_socket_set_buffer_size(monitor, 4096, 4096) == 0
assert nl.nl_socket_add_memberships(monitor, RTNLGRP_LINK, 0) == 0
nl.nl_socket_disable_seq_check(monitor)
for _ in range(20):  # each change is a message; nobody reads meanwhile
    for state in ("up", "down"):
        subprocess.check_call(["ip", "link", "set", "lo", state])
result = 0
for _ in range(100):
    ctypes.set_errno(0)
    result = nl.nl_recvmsgs_default(monitor)
    if result < 0:
        break
print("overrun:", words(result))

late = ctypes.c_void_p(nl.nl_socket_alloc())
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
for _ in range(64):
    try:
        os.dup(0)
    except OSError:
        break
ctypes.set_errno(0)
print("no descriptor:", words(nl.nl_connect(late, NETLINK_ROUTE)))
code = nl.nl_syserr2nlerr(errno.ENETUNREACH)
print(f"ENETUNREACH: {code} {nl.nl_geterror(code).decode()}")
P
seen=$(timeout 60 unshare -Urn python3 errors.py </dev/null)
echo "$seen"
[[ $seen == "overrun: -5 Out of memory, errno ENOBUFS
no descriptor: -1 Unspecific failure, errno EMFILE
ENETUNREACH: 1 Unspecific failure" ]]
