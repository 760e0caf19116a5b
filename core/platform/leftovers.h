/* Files and directories that must not outlive lunet, however lunet ends. A separate process, the
 * remover (core/remover.c), knows their paths. When lunet has gone, the remover removes those that
 * still exist.
 *
 * The first path starts the remover. The whole process has only one, so its state is static. If the
 * remover cannot start, lunet goes on without it. */
#ifndef LUNET_PLATFORM_LEFTOVERS_H
#define LUNET_PLATFORM_LEFTOVERS_H

/* lunet sends the remover one packet for each order: the order byte, then the path. */
enum { LEFTOVERS_SOCKET = 0 }; /* the remover's descriptor */
#define LEFTOVERS_OPTION "--leftovers"
#define LEFTOVERS_ADD '+'
#define LEFTOVERS_FORGET '-'

/* Takes an absolute path. Call it before you make the file: a signal may come in between. */
void leftovers_add(const char *path);

/* Call it when the file has been removed, or is meant to stay. */
void leftovers_forget(const char *path);

/* Makes the remover remove every path that it still knows. Waits at most timeout_ms for that.
 * Async-signal-safe; exit(3) calls it too. */
void leftovers_finish(int timeout_ms);

#endif
