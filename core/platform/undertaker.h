/* The undertaker: a process that lets the hosts' namespaces end soon after lunet, however lunet
 * ends.
 *
 * The kernel keeps a TCP socket that was closed before its last bytes, or its FIN, were
 * acknowledged. The socket keeps its namespace. When lunet is killed, the other end often cannot
 * answer any more: its namespace has ended and taken the link with it, or the wire between the two
 * is no longer forwarded. Such a socket then tries again 8 times, which takes 100 s
 * (tcp_orphan_retries, tcp(7)).
 *
 * The undertaker holds a descriptor of each host's namespace. When lunet is gone, it lowers the
 * number of tries to 1 in all of them. As long as lunet runs it changes nothing, since the tries
 * are a part of what experiments measure.
 *
 * It starts with the first namespace, and there is one for the whole process: so its state is
 * static. Where it cannot start, lunet goes on without it, and namespaces may stay for 100 s. */
#ifndef LUNET_PLATFORM_UNDERTAKER_H
#define LUNET_PLATFORM_UNDERTAKER_H

/* Call it outside of namespace_enter and namespace_leave. */
void undertaker_add(int ns);

/* Call it before ns is closed. The namespace then ends as it would without the undertaker. */
void undertaker_forget(int ns);

#endif
