/* The tables that listen and connect take: their fields, and socket options by name. */
#ifndef LUNET_BINDING_TARGET_H
#define LUNET_BINDING_TARGET_H

#include <lauxlib.h>

#include "platform/option.h"

/* The tables at `index` below are copies that field_copy_table has made: what is read from them
 * stays alive. */

/* Raises unless every key of the table at `index` is one of `fields` (ends with NULL) or a socket
 * option whose value is of the right type and within its bounds. */
void target_check(lua_State *L, int index, const char *const fields[]);

/* The socket options of a checked table. */
struct target_options {
  size_t count;
  struct target_option {
    const struct option *option;
    int value;        /* in the kernel's unit */
    const char *text; /* of an OPTION_TEXT */
  } options[OPTIONS_MOST];
  const struct option *refused; /* the one that the kernel did not take; NULL: none */
};

void target_read_options(lua_State *L, int index, struct target_options *out);

/* Sets them on a new socket. Returns 0, or a negative errno and sets `refused`. */
int target_set_options(struct target_options *o, int fd);

/* Pushes "option NAME = VALUE" of the refused one. */
const char *target_push_refused(lua_State *L, int index, const struct target_options *o);

/* Fields of the table at `index`, checked: raise when of the wrong kind. */
int target_integer(lua_State *L, int index, const char *field, int min, int max, int missing);
const char *target_string(lua_State *L, int index, const char *field, const char *missing);

/* The string at `index`, for the kernel, which would take it to end at a zero byte: raises if it
 * has one. */
const char *target_text(lua_State *L, int index, const char *field);

#endif
