/* The fields by which scripts and programs know an event of the trace. */
#ifndef LUNET_BINDING_EVENT_H
#define LUNET_BINDING_EVENT_H

#include <lua.h>

#include "handle/journal.h"

/* Sets the fields of the table on top of the stack. */
struct event_table {
  struct event_fields fields;
  lua_State *L;
};

struct event_table event_table_of(lua_State *L);

void event_set_text(struct event_fields *to, const char *name,
                    const char *text); /* NULL: no such field */

/* Sets the event's fields: doc/trace.schema.json has their names. The text of a look is its
 * snapshot. */
void event_describe(const trace *t, const struct event *e, struct event_fields *to);

#endif
