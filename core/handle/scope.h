/* A scope: the open handles that end with it. Every handle belongs to exactly one. */
#ifndef LUNET_HANDLE_SCOPE_H
#define LUNET_HANDLE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handle/list.h"

typedef struct handle handle;
typedef struct scope scope;

struct handle_type {
  const char *name;         /* as open_handles() shows it */
  int (*close)(handle *h);  /* lets go of what it holds: called once. 0 or a negative errno */
  void (*abort)(handle *h); /* the same, with its host: at once, leaving nothing behind. NULL:
                               close does that */
  void (*free)(handle *h);  /* frees the memory of a closed one */

  /* Writes what the script knows it by; for a closed one perhaps nothing. `text` is "". */
  void (*describe)(const handle *h, char *text, size_t size);
};

/* The first member of everything that can be closed, so that a pointer to the one is a pointer to
 * the other: the functions below take either. */
struct handle {
  const struct handle_type *type;
  bool is_open;      /* until handle_close: the one thing that says so */
  list in_scope;     /* the scope's list while open; in no list when closed */
  uint16_t host;     /* its host's number; 0 is home */
  uint16_t far_host; /* of what joins two hosts: it ends with either; 0: none */
  struct scopes *scopes;
  bool is_anchored; /* see scopes */
};

/* All that are open in a loop. */
struct scopes {
  list open;                                    /* by in_scopes; the outermost first */
  void (*told)(void *context, const handle *h); /* called when an anchored handle closes */
  void *context;
};

struct scope {
  struct scopes *scopes;
  list handles; /* oldest first */
  list in_scopes;
};

void scope_open(scope *s, struct scopes *all);
void scope_close_handles(scope *s); /* newest first */
void scope_close(scope *s);         /* and leaves the loop; harmless twice */

/* Where a handle lives. */
struct place {
  scope *scope;   /* with which it ends */
  uint16_t host;  /* its host's number; 0 is home */
  uint16_t label; /* its name in the trace; 0: none */
};

void handle_open(handle *h, const struct handle_type *type, const struct place *p);
bool handle_is_open(const void *h); /* false for NULL */

/* Leaves the scope, then calls the type's close or abort. Harmless when it is closed already. Wakes
 * whoever waits for it with OP_CLOSED. */
int handle_close(void *h);
void handle_abort(void *h);

void handle_free(void *h); /* closes first */

/* Has the scopes' `told` called when it closes. False: it is closed already. */
bool handle_anchor(handle *h);

void handle_abort_all(struct scopes *all, uint16_t host); /* every open handle of a host */

#endif
