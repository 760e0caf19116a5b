/* The processes of a program and of all that it has started: proc(5), /proc/PID/stat. */
#ifndef LUNET_PLATFORM_PROCESS_TREE_H
#define LUNET_PLATFORM_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_entry {
  pid_t number, parent;                /* as lunet sees them */
  char state;                          /* R, S, D, T, Z, ... */
  uint64_t user, system;               /* clock ticks (sysconf(3)) */
  uint64_t waited_user, waited_system; /* those of children that it has waited for */
  uint64_t resident;                   /* pages */
  char name[64]; /* what the kernel calls it: at most 15 bytes unless it is the kernel's own */
};

struct process_tree {
  struct process_entry *entries; /* the first is the program, unless it has been reaped */
  size_t count;
  uint64_t user, system; /* clock ticks of all of them, and of those that have ended */
};

/* Lists the program and its living descendants. Orphans are the guard's grandchildren. 0 or a
 * negative errno; process_tree_free frees the list. */
int process_tree_read(pid_t guard, pid_t program, struct process_tree *out);

/* Returns 1 if one of the processes has a descriptor of the socket with this inode, otherwise 0.
 * Returns a negative errno if lunet lacks something for the search, such as descriptors. */
int process_tree_holds(const struct process_tree *t, uint32_t inode);

bool process_tree_has(const struct process_tree *t, pid_t number);

void process_tree_free(struct process_tree *t);

#endif
