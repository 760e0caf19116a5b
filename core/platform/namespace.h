/* Network namespaces, one for each host. This one process holds them all as descriptors. A thread
 * is in one namespace at a time: lunet's is in the home host's, except between namespace_enter and
 * namespace_leave, within one call.
 *
 * To list the sockets of a namespace, the kernel walks a whole hash table. By default all
 * namespaces share the machine's table, with 2^18 entries here. A new namespace gets a small table
 * of its own if the namespace that makes it asks for that (net.ipv4.tcp_child_ehash_entries, since
 * Linux 6.1). lunet leaves the machine's settings alone: it first makes one namespace, the mould,
 * sets the size there, and makes every host from it. `build/release/lunet bench/sockets.lua 2000`
 * then prints 0.074 ms, and 0.377 ms when namespace_mould_open does not set the size (medians of
 * three runs, 2026-11-28). */
#ifndef LUNET_PLATFORM_NAMESPACE_H
#define LUNET_PLATFORM_NAMESPACE_H

#include <stdbool.h>

/* Makes a namespace with its loopback up. Returns its descriptor, or a negative errno.
 *
 * Without privilege the first call moves the process into a new user namespace with a fresh home,
 * for good: the process cannot reach the machine's stack any more. -EPERM (or -ENOSPC, -EUSERS)
 * means that the machine refuses this move too, or that namespace_stay forbids it. */
int namespace_open(void);

/* The call in which the last namespace_open failed ("setns(2)", "unshare(2)",
 * "/proc/self/uid_map"), or the reason ("CAP_SETFCAP", "--machine"). NULL: none of these. */
const char *namespace_refused(void);
void namespace_close(int ns);

/* Says whether the process must stay on the machine's own stack: see --machine. */
void namespace_stay(bool must);

/* Enters a namespace for the calls up to namespace_leave. 0 or a negative errno. */
int namespace_enter(int ns);
void namespace_leave(void);

/* Opens a socket in the namespace. The socket stays there wherever the process goes. A descriptor
 * or a negative errno. */
int namespace_socket(int ns, int family, int type, int protocol);

/* The home host's namespace if lunet made it; -EPERM if it is the machine's own. */
int namespace_own_home(void);

/* Makes another namespace the home host's. Returns the one before, for namespace_restore_home, or a
 * negative errno. */
int namespace_set_home(int ns);
int namespace_restore_home(int before); /* 0 or a negative errno */

#endif
