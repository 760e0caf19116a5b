#include "handle/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handle/child.h"
#include "handle/foreign.h"
#include "handle/full_output.h"
#include "handle/trace.h"
#include "handle/watch.h"
#include "platform/descriptors.h"
#include "platform/guard.h"
#include "platform/keeper.h"
#include "platform/namespace.h"
#include "platform/socket.h"
#include "platform/spawn.h"

enum state { STARTING, RUNNING, ENDED, FAILED };

/* Bounds the wait for init, which answers at once unless it is starved. */
enum { ANSWER_MS = 5000 };

enum { NO_ANSWER = -1 };

struct process {
  handle handle;
  loop *lp;
  child *guard;    /* NULL: it did not start */
  int reports;     /* to the guard and its init; -1: none */
  bool is_guarded; /* the guard has not hung up */
  enum state state;
  enum guard_report_kind failed_at;
  int number;   /* of the program's process, and of its process group; 0 until it runs */
  int status;   /* once it has ended */
  int answer;   /* of the last request: 0, errno or NO_ANSWER */
  list waiting; /* the start op, or wait ops */
  struct trace_socket socket;
  int ns;                        /* its host's; -1: home's */
  foreign *listeners;            /* NULL: nobody records */
  full_output *outputs[STREAMS]; /* NULL: of a stream that cannot be full */
  char *name;
};

static void process_record(process *p, enum event_kind kind, int64_t value, int code) {
  trace_record(loop_trace(p->lp), &p->socket, kind, value, code);
}

/* -- the guard ----------------------------------------------------------------------------- */

struct guard_texts {
  char lunet[16], nofile[32], fds[16], streams[STREAMS + 1], grace[16];
};

static void process_write_texts(struct guard_texts *t, const struct program *what) {
  snprintf(t->lunet, sizeof t->lunet, "%d", (int)getpid());
  snprintf(t->nofile, sizeof t->nofile, "%llu", (unsigned long long)descriptors_inherited());
  snprintf(t->fds, sizeof t->fds, "%d", what->fd_count);
  for (int i = 0; i < STREAMS; i++)
    t->streams[i] = what->streams[i] == STREAM_KEEP    ? GUARD_STREAM_KEPT
                    : what->streams[i] == STREAM_MERGE ? GUARD_STREAM_AS_STDOUT
                                                       : GUARD_STREAM_AS_IT_IS;
  t->streams[STREAMS] = '\0';
  snprintf(t->grace, sizeof t->grace, "%d", what->grace_ms);
}

/* The array is malloc'ed. */
static char **process_guard_words(const struct program *what, struct guard_texts *t) {
  size_t count = 0;
  while (what->words[count] != NULL) count++;
  char **words = malloc((GUARD_PROGRAM + count + 1) * sizeof *words);
  if (words == NULL) return NULL;
  words[0] = (char *)guard_path();
  words[GUARD_LUNET] = t->lunet;
  words[GUARD_NOFILE] = t->nofile;
  words[GUARD_LIMITS] = (char *)what->limits;
  words[GUARD_FDS] = t->fds;
  words[GUARD_STREAMS] = t->streams;
  words[GUARD_GRACE] = t->grace;
  words[GUARD_DIRECTORY] = (char *)what->directory;
  memcpy(words + GUARD_PROGRAM, what->words, (count + 1) * sizeof *words);
  return words;
}

static int process_spawn_on(process *p, const host *h, const struct spawn *guard) {
  if (h == NULL) return child_start(loop_watches(p->lp), loop_children(p->lp), guard, &p->guard);
  int result = namespace_enter(host_namespace(h));
  if (result < 0) return result;
  result = child_start(loop_watches(p->lp), loop_children(p->lp), guard, &p->guard);
  namespace_leave();
  return result;
}

enum { GUARD_DESCRIPTORS = GUARD_REPORTS + 1 }; /* besides those that the program gets */

/* Copies them to numbers above those that they get in the guard, since spawn.h moves each to where
 * another may be. 0 or a negative errno; the copies must be closed in any case. */
static int process_copy_descriptors(const struct program *what, int *copies) {
  int lowest = GUARD_DESCRIPTORS + what->fd_count, result = 0;
  for (int i = 0; i < what->fd_count; i++) {
    copies[i] = result < 0 ? -1 : fcntl(what->fds[i], F_DUPFD_CLOEXEC, lowest);
    if (copies[i] == -1 && result == 0) result = -errno;
  }
  return result;
}

static void process_close_copies(const struct program *what, const int *copies) {
  for (int i = 0; i < what->fd_count; i++)
    if (copies[i] != -1) close(copies[i]);
}

static int process_spawn_guard(process *p, const host *h, const struct program *what,
                               const struct streams *s, int reports) {
  struct guard_texts texts = {0};
  process_write_texts(&texts, what);
  int descriptors[GUARD_DESCRIPTORS + PROGRAM_FDS];
  memcpy(descriptors, s->given, sizeof s->given);
  descriptors[GUARD_REPORTS] = reports;
  int result = process_copy_descriptors(what, descriptors + GUARD_DESCRIPTORS);
  struct spawn guard = {
    .file = guard_path(),
    .words = process_guard_words(what, &texts),
    .environment = what->environment,
    .descriptors = descriptors,
    .count = GUARD_DESCRIPTORS + what->fd_count,
  };
  if (result == 0) result = guard.words == NULL ? -ENOMEM : process_spawn_on(p, h, &guard);
  free(guard.words);
  process_close_copies(what, descriptors + GUARD_DESCRIPTORS);
  return result;
}

static int process_open_guard(process *p, const host *h, const struct program *what,
                              const struct streams *s) {
  int reports[2];
  if (guard_path() == NULL) return -ENOENT;
  int result = socket_open_pair(SOCK_SEQPACKET, reports);
  if (result < 0) return result;
  result = process_spawn_guard(p, h, what, s, reports[1]);
  close(reports[1]);
  p->reports = reports[0];
  return result;
}

/* -- its reports --------------------------------------------------------------------------- */

static void process_started(process *p, int number) {
  p->state = RUNNING;
  p->number = number;
  process_record(p, EVENT_EXEC, number, 0);
  if (trace_is_probing(loop_trace(p->lp)))
    p->listeners = foreign_open(p->lp, p->ns, &p->socket, child_number(p->guard), number);
  op_end_all(&p->waiting, 0);
}

static void process_failed(process *p, enum guard_report_kind at, int error) {
  p->state = FAILED;
  p->failed_at = at;
  process_record(p, EVENT_EXEC, 0, -error);
  op_end_all(&p->waiting, -error);
}

static void process_take_end(process *p, int status) {
  p->state = ENDED;
  p->status = status;
  process_record(p, EVENT_EXIT, status, 0);
  op_end_all(&p->waiting, 0);
}

/* Somebody has killed the guard, unless lunet-guard is no program that can run. */
static void process_hung_up(process *p) {
  p->is_guarded = false;
  foreign_close(p->listeners);
  p->listeners = NULL;
  if (p->state == STARTING) process_failed(p, GUARD_FAILED_FORK, EIO);
  if (p->state == RUNNING) process_take_end(p, -SIGKILL);
}

static struct trace_socket process_stream_of(const process *p, int stream) {
  struct trace_socket about = p->socket;
  about.stream = (uint8_t)(stream + 1);
  return about;
}

static void process_record_loss(process *p, int stream) {
  struct trace_socket about = process_stream_of(p, stream);
  trace_record(loop_trace(p->lp), &about, EVENT_OUTPUT_LOST, KEEPER_MOST, 0);
}

static void process_take_report(process *p, const struct guard_report *r) {
  switch (r->kind) {
  case GUARD_STARTED: process_started(p, r->value); return;
  case GUARD_ENDED: process_take_end(p, r->value); return;
  case GUARD_SIGNALED: p->answer = r->value; return;
  case GUARD_LOST: process_record_loss(p, r->value); return;
  default: process_failed(p, (enum guard_report_kind)r->kind, r->value);
  }
}

static void process_take_reports(process *p) {
  struct guard_report r;
  while (p->is_guarded) {
    ssize_t length = read(p->reports, &r, sizeof r);
    if (length == -1) {
      if (errno != EAGAIN) op_end_all(&p->waiting, -errno); /* the report can still be read */
      return;
    }
    if (length == sizeof r)
      process_take_report(p, &r);
    else
      process_hung_up(p);
  }
}

static void process_on_ready(void *owner, int events) {
  (void)events;
  process_take_reports(owner);
}

/* -- its life ------------------------------------------------------------------------------ */

static int process_open_outputs(process *p, const struct program *what, const struct streams *s) {
  int result = 0;
  for (int i = STREAM_STDOUT; i < STREAMS && result == 0; i++) {
    struct trace_socket about = process_stream_of(p, i);
    if (what->streams[i] == STREAM_PIPE)
      result = full_output_open(loop_trace(p->lp), s->far[i], &about, &p->outputs[i]);
  }
  return result;
}

static void process_close_outputs(process *p) {
  for (int i = 0; i < STREAMS; i++) {
    full_output_close(p->outputs[i]);
    p->outputs[i] = NULL;
  }
}

static int process_open_parts(process *p, const struct place *where, const host *h,
                              const struct program *what, connection **near[STREAMS]) {
  struct streams s;
  p->name = strdup(what->name);
  if (p->name == NULL) return -ENOMEM;
  int result = streams_open(&s, p->lp, where, what->streams, near);
  if (result < 0) return result;
  result = process_open_outputs(p, what, &s);
  if (result == 0) result = process_open_guard(p, h, what, &s);
  streams_close_far(&s);
  return result;
}

static int process_close(handle *h) {
  process *p = (process *)h;
  process_take_reports(p);
  foreign_close(p->listeners); /* before they are gone */
  p->listeners = NULL;
  process_close_outputs(p);
  watch_end(loop_watches(p->lp), p->reports);
  close(p->reports);
  /* While it starts the program it may be held up in execve(2), and deaf to SIGTERM. */
  child_signal(p->guard, p->state == STARTING ? SIGKILL : SIGTERM);
  if (p->state == RUNNING) process_record(p, EVENT_SIGNAL, SIGKILL, 0);
  op_end_all(&p->waiting, OP_CLOSED);
  return 0;
}

static void process_free(handle *h) {
  process *p = (process *)h;
  child_drop(p->guard);
  free(p->name);
}

static void process_describe(const handle *h, char *text, size_t size) {
  const process *p = (const process *)h;
  if (h->is_open)
    snprintf(text, size, "%s (%d)", p->name, p->number);
  else
    snprintf(text, size, "%s", p->name);
}

static const struct handle_type process_type = {"process", process_close, NULL, process_free,
                                                process_describe};

int process_open(loop *lp, const struct place *where, const host *h, const struct program *what,
                 connection **near[STREAMS], process **out) {
  process *p = calloc(1, sizeof *p);
  if (p == NULL) return -ENOMEM;
  p->lp = lp;
  p->ns = h == NULL ? -1 : host_namespace(h);
  p->reports = -1;
  p->is_guarded = true;
  list_init(&p->waiting);
  p->socket.id = loop_next_socket(lp);
  p->socket.host = where->host;
  p->socket.label = where->label;
  int result = process_open_parts(p, where, h, what, near);
  if (result < 0) {
    if (p->reports != -1) close(p->reports);
    process_close_outputs(p);
    child_drop(p->guard);
    free(p->name);
    free(p);
    return result;
  }
  handle_open(&p->handle, &process_type, where);
  *out = p;
  return 0;
}

static void process_wait_for_report(process *p, op *o) {
  op_wait(o, &p->waiting);
  if (op_ended(o)) return; /* it was not to wait */
  int result = watch_begin(loop_watches(p->lp), p->reports, WATCH_READABLE, process_on_ready, p);
  if (result < 0) op_end(o, result);
}

void process_start(process *p, op *o) { process_wait_for_report(p, o); }

void process_wait(process *p, op *o) {
  if (p->handle.is_open) process_take_reports(p);
  if (p->state == ENDED)
    op_end(o, 0);
  else if (!p->handle.is_open)
    op_end(o, OP_CLOSED);
  else
    process_wait_for_report(p, o);
}

bool process_ended(const process *p, int *status) {
  *status = p->status;
  return p->state == ENDED;
}

int process_signal(process *p, int number) {
  process_take_reports(p);
  /* Its number is its own while the guard lives, which does not reap it. */
  bool has_group = p->is_guarded && p->number > 1;
  int result = !has_group ? -ESRCH : kill(-p->number, number) == -1 ? -errno : 0;
  if (result == 0) process_record(p, EVENT_SIGNAL, number, 0);
  return result;
}

/* Init answers within microseconds: to wait for it here keeps the call as simple as kill(2). */
static int process_await_answer(process *p) {
  struct pollfd answer = {.fd = p->reports, .events = POLLIN};
  while (p->answer == NO_ANSWER && p->is_guarded) {
    if (poll(&answer, 1, ANSWER_MS) == 0) return -ETIMEDOUT;
    process_take_reports(p);
  }
  return p->answer == NO_ANSWER ? -ESRCH : -p->answer;
}

int process_signal_all(process *p, int number) {
  struct guard_request request = {number};
  process_take_reports(p);
  if (!p->is_guarded || p->number <= 1) return -ESRCH;
  p->answer = NO_ANSWER;
  if (send(p->reports, &request, sizeof request, MSG_NOSIGNAL) == -1) return -errno;
  int result = process_await_answer(p);
  if (result == 0) process_record(p, EVENT_SIGNAL, number, 0);
  return result;
}

/* The descriptor comes first: from then on the number cannot become another process's. */
int process_signal_one(process *p, pid_t number, int signal) {
  struct process_tree tree;
  int fd = spawn_watch(number);
  if (fd < 0) return fd == -EINVAL ? -ESRCH : fd;
  int result = process_tree(p, &tree);
  if (result == 0 && !process_tree_has(&tree, number)) result = -ESRCH;
  if (result == 0 && syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == -1) result = -errno;
  close(fd);
  process_tree_free(&tree);
  if (result == 0) process_record(p, EVENT_SIGNAL, signal, number);
  return result;
}

int process_tree(process *p, struct process_tree *out) {
  return process_tree_read(child_number(p->guard), p->number, out);
}

enum guard_report_kind process_failed_at(const process *p) { return p->failed_at; }
int process_number(const process *p) { return p->number; }
