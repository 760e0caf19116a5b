/* Keeps the output of a program until somebody reads it, so that a silent reader does not stop the
 * program. A slow reader gets all of it: a full keeper waits for one that takes something each
 * second. Only when nothing is taken for a second does it begin to drop what is oldest. The guard
 * runs each keeper as a separate process between the program's pipe and the script's socket. */
#ifndef LUNET_PLATFORM_KEEPER_H
#define LUNET_PLATFORM_KEEPER_H

enum { KEEPER_MOST = 16 * 1024 * 1024 }; /* bytes */

/* Passes everything from the pipe `from` on to the socket `to`. Returns when every writer has
 * closed the pipe and the reader has the rest, or is gone. Calls on_loss only at the first loss. */
void keeper_run(int from, int to, void (*on_loss)(void));

#endif
