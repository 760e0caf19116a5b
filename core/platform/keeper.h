/* Keeps what a program writes until somebody reads it, so that a reader's silence never stops the
 * program. The guard runs a keeper as a process of its own, between the program's pipe and the
 * script's socket. */
#ifndef LUNET_PLATFORM_KEEPER_H
#define LUNET_PLATFORM_KEEPER_H

enum { KEEPER_MOST = 1024 * 1024 }; /* bytes; beyond that the oldest are lost */

/* Passes on to the socket `to` all that comes from the pipe `from`. Returns when every writer has
 * closed the pipe and the reader has got, or will never get, the rest. Calls on_loss once, when it
 * first loses bytes. */
void keeper_run(int from, int to, void (*on_loss)(void));

#endif
