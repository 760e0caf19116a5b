/* The tables that listen and connect take: their fields, and socket options by name. */
#ifndef LUNET_BINDING_TARGET_H
#define LUNET_BINDING_TARGET_H

#include <lua.h>
#include <stdbool.h>

#include "platform/address.h"
#include "platform/option.h"

enum { TARGET_FIELDS_MOST = 8 };

/* Checks each key of the table at `index`. Raises unless it is one of `fields`, the name of a
 * socket option, or a whole number from 1 to `items`. `fields` ends with NULL, and has at most
 * TARGET_FIELDS_MOST elements with it. */
void target_check_names(lua_State *L, int index, const char *const fields[], int items);

struct target_options {
  size_t count;
  struct target_option {
    const struct option *option;
    int value;        /* in the kernel's unit */
    const char *text; /* for OPTION_TEXT; the table keeps it alive */
  } options[OPTIONS_MOST];
  const struct option *refused; /* the option that the kernel did not take; NULL: none */
  bool is_kernel_too_old;       /* for that option */
};

/* Reads the socket options of the table at `index`, a copy that field_copy_table made. Raises if a
 * value has the wrong type or is out of bounds. */
void target_read_options(lua_State *L, int index, struct target_options *out);

/* Sets the options on a new socket. Returns 0, or a negative errno and sets `refused`. */
int target_set_options(struct target_options *o, int fd);

/* Pushes "option NAME = VALUE" for the refused option; the table is at `index`. Names the version
 * of Linux if the kernel is too old for the option. */
const char *target_push_refused(lua_State *L, int index, const struct target_options *o);

/* Reads the field `protocol` of the table at `index`, a copy: 0 for TCP, or SOCKET_MPTCP. Raises
 * for a Unix address. */
int target_read_protocol(lua_State *L, int index, const address *a);

#endif
