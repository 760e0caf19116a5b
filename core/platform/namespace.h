/* Network namespaces: one for each host, all held by this one process as descriptors. A thread is
 * in one namespace at a time. This one is always in that of the home host, except inside one call
 * between namespace_enter and namespace_leave.
 *
 * Listing the sockets of a namespace walks a whole hash table. All namespaces share the machine's,
 * with 2^18 entries here. A new one has a table of its own, and a small one, only if the namespace
 * that it is made in says so (net.ipv4.tcp_child_ehash_entries, since Linux 6.1). The machine's
 * settings stay as they are: hosts are made from a namespace that lunet makes first, the mould.
 * That makes `build/release/lunet bench/sockets.lua 2000` say 0.074 ms, and 0.377 ms without
 * (medians of three runs, 2026-11-28). */
#ifndef LUNET_PLATFORM_NAMESPACE_H
#define LUNET_PLATFORM_NAMESPACE_H

#include <stdbool.h>

/* Makes a namespace with its loopback up. Returns its descriptor, or a negative errno.
 *
 * Without the privilege for it the first call moves the process, for good, into a user namespace of
 * its own with a fresh home: the machine's stack is out of reach from then on. -EPERM (or -ENOSPC,
 * -EUSERS) means that this machine refuses that too, or that namespace_stay was called. */
int namespace_open(void);

/* In which call the last namespace_open failed: "setns(2)", "unshare(2)", "/proc/self/uid_map", or
 * what it lacked: "CAP_SETFCAP", "--machine". NULL if it did not fail in one of them. */
const char *namespace_refused(void);
void namespace_close(int ns);

/* Whether the process must stay on the machine's own stack: see --machine. */
void namespace_stay(bool must);

/* Enters a namespace for the calls up to namespace_leave. 0 or a negative errno. */
int namespace_enter(int ns);
void namespace_leave(void);

/* A socket of the namespace: it stays there wherever the process is. */
int namespace_socket(int ns, int family, int type, int protocol);

/* The home host's namespace, if lunet made it; -EPERM if it is the machine's own. */
int namespace_own_home(void);

/* Makes another namespace the home host's. Returns the one before, to be given back, or a negative
 * errno. */
int namespace_set_home(int ns);
int namespace_restore_home(int before); /* 0 or a negative errno */

#endif
