/* Files and directories that must not outlive lunet, however it ends. A process of its own, the
 * remover (core/remover.c), knows their paths; when lunet is gone, it removes the ones still there.
 *
 * The remover starts with the first path, and there is one for the whole process: so its state is
 * static. Where it cannot start, lunet goes on without it. */
#ifndef LUNET_PLATFORM_LEFTOVERS_H
#define LUNET_PLATFORM_LEFTOVERS_H

/* Between lunet and the remover: one packet for each path, its first byte says what to do. */
enum { LEFTOVERS_SOCKET = 3 }; /* the remover's descriptor */
#define LEFTOVERS_OPTION "--leftovers"
#define LEFTOVERS_ADD '+'
#define LEFTOVERS_FORGET '-'

/* An absolute path. Call it before the file is made: a signal may come in between. */
void leftovers_add(const char *path);

/* It is removed, or has become what it was made for. */
void leftovers_forget(const char *path);

/* Has everything removed that is still there, and waits for that, but at most so many ms.
 * Async-signal-safe. Called at exit(3), too. */
void leftovers_finish(int timeout_ms);

#endif
