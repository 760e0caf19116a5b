#include "handle/stream.h"

#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/socket.h"
#include "platform/spawn.h"

/* A short write takes a thousand bytes of the buffer. With the default size a program stops after
 * about 280 lines that nobody reads. The kernel caps the new size at twice net.core.wmem_max. */
static void stream_enlarge_buffer(int fd) { socket_set(fd, SOL_SOCKET, SO_SNDBUF, INT_MAX / 2); }

static int stream_open_piped(struct streams *s, loop *lp, const struct place *p, int i,
                             connection **near) {
  int pair[2]; /* the near end first */
  int result = socket_open_pair(SOCK_STREAM, pair);
  if (result < 0) return result;
  stream_enlarge_buffer(pair[1]);
  result = connection_open(lp, p, pair[0], near);
  if (result < 0) {
    close(pair[0]);
    close(pair[1]);
    return result;
  }
  connection_of_program(*near, (uint8_t)(i + 1));
  s->far[i] = pair[1];
  s->given[i] = pair[1];
  return 0;
}

bool stream_is_connected(enum stream_kind kind) {
  return kind == STREAM_PIPE || kind == STREAM_KEEP;
}

int streams_open(struct streams *s, loop *lp, const struct place *p,
                 const enum stream_kind kinds[STREAMS], connection **near[STREAMS]) {
  int result = 0;
  for (int i = 0; i < STREAMS; i++) {
    s->given[i] = SPAWN_NULL;
    s->far[i] = -1;
  }
  for (int i = 0; i < STREAMS && result == 0; i++) {
    if (stream_is_connected(kinds[i])) result = stream_open_piped(s, lp, p, i, near[i]);
    if (kinds[i] == STREAM_MERGE) s->given[i] = s->given[STREAM_STDOUT];
    if (kinds[i] == STREAM_INHERIT) s->given[i] = i;
  }
  if (result < 0) streams_close_far(s);
  return result;
}

void streams_close_far(struct streams *s) {
  for (int i = 0; i < STREAMS; i++) {
    if (s->far[i] != -1) close(s->far[i]);
    s->far[i] = -1;
  }
}
