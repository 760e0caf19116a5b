/* The standard streams of a program. A stream that the script reads or writes is a pair of Unix
 * sockets. Its near end is an ordinary connection. */
#ifndef LUNET_HANDLE_STREAM_H
#define LUNET_HANDLE_STREAM_H

#include "handle/connection.h"
#include "handle/loop.h"

enum { STREAM_STDIN, STREAM_STDOUT, STREAM_STDERR, STREAMS };

enum stream_kind {
  STREAM_NULL,    /* /dev/null */
  STREAM_KEEP,    /* a connection of the script, behind a keeper (platform/keeper.h) */
  STREAM_PIPE,    /* a connection of the script */
  STREAM_INHERIT, /* lunet's own */
  STREAM_MERGE,   /* stderr only: goes where stdout goes */
};

struct streams {
  int given[STREAMS]; /* to the guard: lunet's own stream, a far end or SPAWN_NULL */
  int far[STREAMS];   /* the program's ends: close them once it has them; -1: none */
};

bool stream_is_connected(enum stream_kind kind); /* to a connection of the script */

/* Opens a connection at near[i] for every connected stream. After a failure only these connections
 * stay open. 0 or a negative errno. */
int streams_open(struct streams *s, loop *lp, const struct place *p,
                 const enum stream_kind kinds[STREAMS], connection **near[STREAMS]);
void streams_close_far(struct streams *s);

#endif
