/* The standard streams of a program. One that the script is to read or write is a pair of Unix
 * sockets, whose near end is a connection like any other. */
#ifndef LUNET_HANDLE_STREAM_H
#define LUNET_HANDLE_STREAM_H

#include "handle/connection.h"
#include "handle/loop.h"

enum { STREAM_STDIN, STREAM_STDOUT, STREAM_STDERR, STREAMS };

enum stream_kind {
  STREAM_NULL,    /* /dev/null */
  STREAM_KEEP,    /* a connection of the script's, with a keeper (platform/keeper.h) before it */
  STREAM_PIPE,    /* a connection of the script's */
  STREAM_INHERIT, /* lunet's own */
  STREAM_MERGE,   /* stderr only: where stdout goes */
};

struct streams {
  int given[STREAMS]; /* what the guard gets: lunet's own, a far end or SPAWN_NULL */
  int far[STREAMS];   /* the program's ends, to be closed when it has them; -1: none */
};

bool stream_is_connected(enum stream_kind kind); /* to a connection of the script's */

/* Opens a connection at near[i] for every stream that is connected. On failure nothing is left open
 * but those connections. */
int streams_open(struct streams *s, loop *lp, const struct place *p,
                 const enum stream_kind kinds[STREAMS], connection **near[STREAMS]);
void streams_close_far(struct streams *s);

#endif
