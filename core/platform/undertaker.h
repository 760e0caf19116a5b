/* The undertaker is a process that makes the hosts' namespaces end soon after lunet, however lunet
 * ends.
 *
 * When a program closes a TCP socket, the kernel keeps it until the peer has acknowledged the last
 * bytes and the FIN. The socket keeps its namespace. After lunet's end the peer often cannot
 * answer: its namespace has ended and taken the link along, or nobody forwards the wire any more.
 * The socket then tries again 8 times, which takes 100 s (tcp_orphan_retries, tcp(7)).
 *
 * The undertaker holds a descriptor of each host's namespace. When lunet has ended, it lowers the
 * number of tries to 1 in all of them. While lunet runs it changes nothing, since experiments
 * measure these tries.
 *
 * The first namespace starts it. The whole process has only one, so its state is static. If it
 * cannot start, lunet goes on, and namespaces may stay for 100 s. */
#ifndef LUNET_PLATFORM_UNDERTAKER_H
#define LUNET_PLATFORM_UNDERTAKER_H

/* Call it outside namespace_enter and namespace_leave. */
void undertaker_add(int ns);

/* Call it before you close ns. The namespace then ends as it would without the undertaker. */
void undertaker_forget(int ns);

#endif
