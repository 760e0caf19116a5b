#include "platform/keeper.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  PIECE = 64 * 1024, /* bytes; the capacity of a pipe */
  SILENCE_MS = 1000  /* a reader that takes nothing for so long is silent */
};

/* Static, because each keeper is a process of its own. */
static struct {
  char data[KEEPER_MOST]; /* a ring */
  size_t start, length;
} kept;

static size_t keeper_least(size_t a, size_t b) { return a < b ? a : b; }

static void keeper_forget(size_t length) {
  kept.length -= length;
  kept.start = kept.length == 0 ? 0 : (kept.start + length) % KEEPER_MOST; /* few pages stay few */
}

static bool keeper_is_full(void) { return kept.length > KEEPER_MOST - PIECE; }

/* Returns false at the end of the pipe. */
static bool keeper_take(int from) {
  size_t end = (kept.start + kept.length) % KEEPER_MOST;
  ssize_t length = read(from, kept.data + end, keeper_least(PIECE, KEEPER_MOST - end));
  if (length > 0) kept.length += (size_t)length;
  return length > 0 || (length == -1 && errno == EINTR);
}

/* Returns false when the reader has gone. */
static bool keeper_pass_on(int to) {
  size_t length = keeper_least(kept.length, KEEPER_MOST - kept.start);
  ssize_t sent = send(to, kept.data + kept.start, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) keeper_forget((size_t)sent);
  return sent >= 0 || errno == EAGAIN || errno == EINTR;
}

static int keeper_untaken(int to) {
  int length = 0;
  ioctl(to, SIOCOUTQ, &length);
  return length;
}

/* Waits until the socket takes more, or its end is gone. Returns false if the reader is silent.
 * POLLOUT alone does not tell: it comes when most of the socket is free. */
static bool keeper_await_reader(int to) {
  struct pollfd end = {.fd = to, .events = POLLOUT};
  int before, ready;
  do {
    before = keeper_untaken(to);
    ready = poll(&end, 1, SILENCE_MS);
  } while (ready == -1 || (ready == 0 && keeper_untaken(to) < before));
  return ready == 1;
}

void keeper_run(int from, int to, void (*on_loss)(void)) {
  bool has_writer = true, has_reader = true, is_silent = false, has_lost = false;
  while (has_writer || (has_reader && kept.length > 0)) {
    if (keeper_is_full() && !is_silent) is_silent = !keeper_await_reader(to);
    bool takes = has_writer && (!keeper_is_full() || is_silent);
    struct pollfd ends[] = {{.fd = takes ? from : -1, .events = POLLIN},
                            {.fd = has_reader ? to : -1, .events = kept.length > 0 ? POLLOUT : 0}};
    if (poll(ends, 2, -1) == -1) continue;
    if (ends[1].revents != 0) {
      is_silent = false;
      has_reader = (ends[1].revents & POLLHUP) == 0 && keeper_pass_on(to);
    }
    if (!has_reader) kept.length = 0;
    if (ends[0].revents == 0) continue;
    if (keeper_is_full()) {
      keeper_forget(PIECE);
      if (!has_lost) on_loss();
      has_lost = true;
    }
    has_writer = keeper_take(from);
  }
}
