#!/usr/bin/python3
"""usage: refuse_call.py CALL[,CALL] PROGRAM [ARGUMENT...]

Runs a program under a filter of system calls (seccomp(2)) that refuses these by EPERM, as a container's does. The call
open-for-writing is openat(2) of a file that is there, for writing alone.
"""
import ctypes
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"unshare": 272, "setns": 308, "openat": 257},
    "aarch64": {"unshare": 97, "setns": 268, "openat": 56},
}[platform.machine()]
FLAGS = 16 + 8 * 2  # where struct seccomp_data has the third argument, on these little-endian machines
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
REFUSE, ALLOW, EPERM = 0x00050000, 0x7FFF0000, 1  # linux/seccomp.h
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def instruction(code, value, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, value)


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


code = instruction(LOAD, 0)
for call in sys.argv[1].split(","):
    if call == "open-for-writing":
        flags = os.O_WRONLY | os.O_CLOEXEC
        code += instruction(JUMP_IF_EQUAL, NUMBERS["openat"], 0, 4) + instruction(LOAD, FLAGS)
        code += instruction(JUMP_IF_EQUAL, flags, 0, 1) + instruction(RETURN, REFUSE | EPERM) + instruction(LOAD, 0)
        continue
    code += instruction(JUMP_IF_EQUAL, NUMBERS[call], 0, 1) + instruction(RETURN, REFUSE | EPERM)
code += instruction(RETURN, ALLOW)
buffer = ctypes.create_string_buffer(code)
program = Program(len(code) // 8, ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
    sys.exit("refuse_call.py: the filter is refused")
os.execvp(sys.argv[2], sys.argv[2:])
