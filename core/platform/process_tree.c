#include "platform/process_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES = 4 }; /* to list a tree of which no process has lost its parent meanwhile */

/* The name may contain spaces and parentheses: the last one ends it. */
static bool process_tree_parse(char *text, struct process_entry *out) {
  char *opening = strchr(text, '('), *closing = strrchr(text, ')');
  if (opening == NULL || closing == NULL || sscanf(text, "%d", &out->number) != 1) return false;
  *closing = '\0';
  snprintf(out->name, sizeof out->name, "%s", opening + 1);
  return sscanf(closing + 1,
                " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64
                " %" SCNu64 " %*d %*d %*d %*d %*u %*u %" SCNu64,
                &out->state, &out->parent, &out->user, &out->system, &out->waited_user,
                &out->waited_system, &out->resident) == 7;
}

/* Returns 1, 0 if the process has ended meanwhile, or a negative errno. */
static int process_tree_read_entry(int proc, const char *number, struct process_entry *out) {
  char path[300], text[512];
  snprintf(path, sizeof path, "%s/stat", number);
  int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (fd == -1) return errno == ENOENT || errno == ESRCH ? 0 : -errno; /* proc_pid_permission() */
  ssize_t length = read(fd, text, sizeof text - 1);
  int error = errno;
  close(fd);
  if (length == -1 && error != ESRCH) return -error;
  text[length < 0 ? 0 : length] = '\0';
  return process_tree_parse(text, out);
}

static int process_tree_append(struct process_tree *t, const struct process_entry *e) {
  if ((t->count & (t->count - 1)) == 0) { /* a power of two: full */
    size_t room = t->count == 0 ? 1 : 2 * t->count;
    struct process_entry *larger = realloc(t->entries, room * sizeof *larger);
    if (larger == NULL) return -ENOMEM;
    t->entries = larger;
  }
  t->entries[t->count++] = *e;
  return 0;
}

static int process_tree_read_all(struct process_tree *t) {
  struct process_entry e;
  int result = 0;
  DIR *proc = opendir("/proc");
  if (proc == NULL) return -errno;
  for (struct dirent *d; result >= 0 && (errno = 0, d = readdir(proc)) != NULL;) {
    if (!isdigit((unsigned char)d->d_name[0])) continue;
    result = process_tree_read_entry(dirfd(proc), d->d_name, &e);
    if (result > 0) result = process_tree_append(t, &e);
  }
  if (result >= 0 && errno != 0) result = -errno; /* the list would be short without a word */
  closedir(proc);
  return result;
}

static bool process_tree_is_among(const struct process_tree *t, size_t count, pid_t number) {
  for (size_t i = 0; i < count; i++)
    if (t->entries[i].number == number) return true;
  return false;
}

bool process_tree_has(const struct process_tree *t, pid_t number) {
  return process_tree_is_among(t, t->count, number);
}

static void process_tree_swap(struct process_tree *t, size_t a, size_t b) {
  struct process_entry kept = t->entries[a];
  t->entries[a] = t->entries[b];
  t->entries[b] = kept;
}

/* Moves the descendants to the front, generation by generation; returns how many they are. */
static size_t process_tree_gather(struct process_tree *t, pid_t guard, pid_t program) {
  size_t found = 0, before;
  for (size_t i = 0; i < t->count; i++)
    if (t->entries[i].number == program) process_tree_swap(t, i, found++);
  for (size_t i = found; i < t->count; i++) /* init and keepers, whose children are wanted */
    if (t->entries[i].parent == guard) process_tree_swap(t, i, found++);
  do {
    before = found;
    for (size_t i = found; i < t->count; i++)
      if (process_tree_is_among(t, found, t->entries[i].parent)) process_tree_swap(t, i, found++);
  } while (found > before);
  return found;
}

static bool process_tree_is_guards(const struct process_entry *e, pid_t guard, pid_t program) {
  return e->parent == guard && e->number != program;
}

/* Init has waited for the orphans that have ended, so it has their time. */
static void process_tree_add_times(struct process_tree *t, pid_t guard, pid_t program) {
  for (size_t i = 0; i < t->count; i++) {
    const struct process_entry *e = &t->entries[i];
    bool is_counted = !process_tree_is_guards(e, guard, program);
    t->user += e->waited_user + (is_counted ? e->user : 0);
    t->system += e->waited_system + (is_counted ? e->system : 0);
  }
}

static void process_tree_leave_out_guards(struct process_tree *t, pid_t guard, pid_t program) {
  size_t kept = 0;
  for (size_t i = 0; i < t->count; i++)
    if (!process_tree_is_guards(&t->entries[i], guard, program)) t->entries[kept++] = t->entries[i];
  t->count = kept;
}

static int process_tree_compare(const void *a, const void *b) {
  const struct process_entry *x = a, *y = b;
  return x->number - y->number;
}

/* Whether a parent ended while /proc was read. Its children were perhaps read before they got
 * another one, and then nothing tells whose they are. Parents outside of lunet's process namespace
 * are 0. */
static bool process_tree_is_torn(struct process_tree *t) {
  qsort(t->entries, t->count, sizeof *t->entries, process_tree_compare);
  for (size_t i = 0; i < t->count; i++) {
    struct process_entry parent = {.number = t->entries[i].parent};
    if (parent.number != 0 &&
        bsearch(&parent, t->entries, t->count, sizeof parent, process_tree_compare) == NULL)
      return true;
  }
  return false;
}

static int process_tree_read_whole(struct process_tree *t) {
  int result = 0;
  for (int i = 0; i < TRIES; i++) {
    t->count = 0;
    result = process_tree_read_all(t);
    if (result < 0 || !process_tree_is_torn(t)) break;
  }
  return result;
}

int process_tree_read(pid_t guard, pid_t program, struct process_tree *out) {
  *out = (struct process_tree){0};
  int result = guard == 0 ? -ESRCH : process_tree_read_whole(out);
  if (result < 0) {
    process_tree_free(out);
    return result;
  }
  out->count = process_tree_gather(out, guard, program);
  process_tree_add_times(out, guard, program);
  process_tree_leave_out_guards(out, guard, program);
  return 0;
}

static bool process_tree_is_link_to(int directory, const char *name, const char *wanted) {
  char target[64];
  ssize_t length = readlinkat(directory, name, target, sizeof target - 1);
  if (length < 0) return false;
  target[length] = '\0';
  return strcmp(target, wanted) == 0;
}

/* A process that has ended, or whose descriptors only root may see, holds nothing. */
static int process_tree_process_holds(pid_t number, const char *wanted) {
  char path[32];
  int result = 0;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)number);
  DIR *descriptors = opendir(path);
  if (descriptors == NULL) return errno == ENOENT || errno == EACCES || errno == ESRCH ? 0 : -errno;
  for (struct dirent *d; result == 0 && (errno = 0, d = readdir(descriptors)) != NULL;)
    result = process_tree_is_link_to(dirfd(descriptors), d->d_name, wanted);
  if (result == 0 && errno != ENOENT && errno != ESRCH) result = -errno;
  closedir(descriptors);
  return result;
}

int process_tree_holds(const struct process_tree *t, uint32_t inode) {
  char wanted[32]; /* as /proc/PID/fd names a socket: proc(5) */
  snprintf(wanted, sizeof wanted, "socket:[%u]", inode);
  int result = 0;
  for (size_t i = 0; result == 0 && i < t->count; i++)
    result = process_tree_process_holds(t->entries[i].number, wanted);
  return result;
}

void process_tree_free(struct process_tree *t) {
  free(t->entries);
  t->entries = NULL;
}
