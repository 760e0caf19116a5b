/* A scope holds open handles and closes them at its end. Every handle belongs to one scope. */
#ifndef LUNET_HANDLE_SCOPE_H
#define LUNET_HANDLE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handle/list.h"

typedef struct handle handle;
typedef struct scope scope;

struct handle_type {
  const char *name;         /* the name in open_handles() */
  int (*close)(handle *h);  /* frees the resources; called once. 0 or a negative errno */
  void (*abort)(handle *h); /* the same when its host closes: leaves nothing in the kernel. NULL:
                               close does that */
  void (*free)(
    handle *h); /* frees memory that a closed handle owns besides its own. NULL: it owns none */

  /* Writes the script's name for the handle to `text`, which is "". May write nothing for a closed
   * one. */
  void (*describe)(const handle *h, char *text, size_t size);
};

/* The first member of every type that can be closed. So a pointer to the type is a pointer to its
 * handle, and the functions below take either. */
struct handle {
  const struct handle_type *type;
  struct scopes *scopes;
  list in_scope;        /* in the scope's list while open, then in no list */
  uint16_t host;        /* its host's number; 0 is home */
  uint16_t far_host;    /* the second host of a wire, which ends with either; 0: none */
  unsigned is_open : 1; /* until handle_close; nothing else says so */
  unsigned anchor : 31; /* see scopes; 0: none */
};

/* All open scopes of a loop. */
struct scopes {
  list open;                                         /* linked by in_scopes; the outermost first */
  void (*on_closed)(void *context, unsigned anchor); /* called when an anchored handle closes */
  void *context;
};

struct scope {
  struct scopes *scopes;
  list handles; /* oldest first */
  list in_scopes;
};

void scope_open(scope *s, struct scopes *all);
void scope_close_handles(scope *s);            /* newest first */
void scopes_close_handles(struct scopes *all); /* of every scope, the innermost first */
void scope_close(scope *s); /* closes the handles and leaves the loop; harmless twice */

/* Where a handle lives. */
struct place {
  scope *scope;   /* ends the handle */
  uint16_t host;  /* its host's number; 0 is home */
  uint16_t label; /* its name in the trace; 0: none */
};

void handle_open(handle *h, const struct handle_type *type, const struct place *p);
bool handle_is_open(const void *h); /* false for NULL */

/* Leaves the scope, then calls the type's close or abort, which wakes waiting ops with OP_CLOSED.
 * Harmless for a closed handle. */
int handle_close(void *h);
void handle_abort(void *h);

void handle_free(void *h); /* closes first */

/* Calls the scopes' on_closed with this number when the handle closes. Returns false if it has
 * closed already. */
bool handle_anchor(handle *h, unsigned anchor);

void handle_abort_all(struct scopes *all, uint16_t host); /* every open handle of a host */

#endif
