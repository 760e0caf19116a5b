/* The undertaker is a process that makes the hosts' namespaces end soon after lunet, however lunet
 * ends. It also makes spare namespaces.
 *
 * When a program closes a TCP socket, the kernel keeps it until the peer has acknowledged the last
 * bytes and the FIN. The socket keeps its namespace. After lunet's end the peer often cannot
 * answer: its namespace has ended and taken the link along, or nobody forwards the wire any more.
 * The socket then tries again 8 times, which takes 100 s (tcp_orphan_retries, tcp(7)).
 *
 * The undertaker holds a descriptor of each host's namespace. A host that is closed has no link any
 * more, and the undertaker lowers its number of tries to 1. When lunet has ended, it does so in all
 * namespaces. Before that it changes nothing, since experiments measure these tries.
 *
 * The first namespace starts it. The whole process has only one, so its state is static. If it
 * cannot start, lunet goes on, and namespaces may stay for 100 s.
 *
 * A namespace takes the kernel about 0.4 ms. The undertaker makes two as soon as lunet has made
 * one, and another one whenever lunet has taken one. It sends their descriptors through its socket,
 * where lunet finds them without waiting. While lunet runs on one processor, it works on another.
 */
#ifndef LUNET_PLATFORM_UNDERTAKER_H
#define LUNET_PLATFORM_UNDERTAKER_H

#include <stdbool.h>

/* Makes a namespace like the one of this descriptor, in which it leaves the process. A descriptor
 * or a negative errno. */
typedef int undertaker_maker(int mould);

/* Call it outside namespace_enter and namespace_leave. The first call starts the undertaker, which
 * makes spares by these two. */
void undertaker_add(int ns, int mould, undertaker_maker *make);

/* Takes a spare, which needs no undertaker_add. A descriptor; -1 if none is ready. With must_wait
 * it waits for one that the undertaker may be making just then, but no longer than 1 s. */
int undertaker_take_spare(bool must_wait);

/* Call it before you close ns. The namespace then ends soon. */
void undertaker_forget(int ns);

#endif
