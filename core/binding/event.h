/* The fields by which scripts and programs know an event of the trace. */
#ifndef LUNET_BINDING_EVENT_H
#define LUNET_BINDING_EVENT_H

#include "handle/journal.h"

/* Sets the event's fields: doc/trace.schema.json has their names. The text of a look is its
 * snapshot. */
void event_describe(const trace *t, const struct event *e, struct event_fields *to);

#endif
