#include "handle/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 2000 }; /* for the end of a child */

struct child {
  list in_children;
  watches *watches;
  pid_t number; /* 0: waitpid(2) has returned it */
  int fd;       /* readable when the child has ended */
  bool is_dropped;
};

static void child_free_unused(child *c) {
  if (c->is_dropped && c->number == 0) free(c);
}

static void child_wait(child *c) {
  TEMP_FAILURE_RETRY(waitpid(c->number, NULL, 0));
  watch_end(c->watches, c->fd);
  close(c->fd);
  list_remove(&c->in_children);
  c->number = 0;
}

static void child_on_end(void *owner, int events) {
  child *c = owner;
  (void)events;
  if (c->number == 0) return;
  child_wait(c);
  child_free_unused(c);
}

static int child_watch(child *c) {
  c->fd = spawn_watch(c->number);
  if (c->fd < 0) return c->fd;
  return watch_begin(c->watches, c->fd, WATCH_READABLE, child_on_end, c);
}

/* Frees a child that has not started, or whose end nobody would notice: kills it at once. */
static void child_give_up(child *c) {
  if (c->number > 0) {
    kill(c->number, SIGKILL);
    TEMP_FAILURE_RETRY(waitpid(c->number, NULL, 0));
  }
  if (c->fd >= 0) close(c->fd);
  free(c);
}

int child_start(watches *ws, list *children, const struct spawn *what, child **out) {
  child *c = calloc(1, sizeof *c);
  if (c == NULL) return -ENOMEM;
  c->watches = ws;
  c->fd = -1;
  c->number = spawn_program(what);
  int result = c->number < 0 ? c->number : child_watch(c);
  if (result < 0) {
    child_give_up(c);
    return result;
  }
  list_append(children, &c->in_children);
  *out = c;
  return 0;
}

pid_t child_number(const child *c) { return c->number; }

void child_signal(child *c, int number) {
  if (c->number != 0) kill(c->number, number);
}

void child_drop(child *c) {
  if (c == NULL) return;
  c->is_dropped = true;
  child_free_unused(c);
}

void child_wait_for_all(list *children) {
  while (!list_empty(children)) {
    child *c = LIST_ENTRY(children->next, child, in_children);
    struct pollfd end = {.fd = c->fd, .events = POLLIN};
    if (poll(&end, 1, PATIENCE_MS) != 1) kill(c->number, SIGKILL);
    child_wait(c);
    child_free_unused(c);
  }
}
