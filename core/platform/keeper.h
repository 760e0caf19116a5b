/* Keeps the output of a program until somebody reads it, so that a silent reader never stops the
 * program. The guard runs each keeper as a separate process between the program's pipe and the
 * script's socket. */
#ifndef LUNET_PLATFORM_KEEPER_H
#define LUNET_PLATFORM_KEEPER_H

enum { KEEPER_MOST = 1024 * 1024 }; /* bytes; a full keeper drops the oldest */

/* Passes everything from the pipe `from` on to the socket `to`. Returns when every writer has
 * closed the pipe and the reader has the rest, or is gone. Calls on_loss only at the first loss. */
void keeper_run(int from, int to, void (*on_loss)(void));

#endif
