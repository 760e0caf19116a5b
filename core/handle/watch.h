/* One descriptor under uv_poll, for both directions. It is armed when an op would block, stays
 * armed when that op is done, and drops a direction only when an event finds no op waiting there:
 * the next wait in that direction then costs no system call. */
#ifndef LUNET_HANDLE_WATCH_H
#define LUNET_HANDLE_WATCH_H

#include "handle/loop.h"

typedef struct watch watch;

/* Handles the events (UV_READABLE, UV_WRITABLE); returns those for which no op was waiting. */
typedef int (*watch_ready)(void *owner, int events);

/* Before anything blocks there is no watch: *w is NULL and is made here. */
int watch_arm(watch **w, loop *lp, int fd, int events, watch_ready ready, void *owner);

/* To be called before the descriptor is closed, never after; sets *w to NULL. */
void watch_close(watch **w);

/* The closed ones of a loop, which serve other descriptors later. To be closed last. */
int watches_open(watches **out);
void watches_close(watches *ws);

#endif
