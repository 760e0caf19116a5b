/* A gate limits how many accepted connections of a listener are open at once. The listener and its
 * connections share the gate, since either side may go first. */
#ifndef LUNET_HANDLE_GATE_H
#define LUNET_HANDLE_GATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct gate gate;

#define GATE_OPEN UINT32_MAX /* no limit */

/* Calls has_room with the listener when there may be room again. Returns NULL without memory. */
gate *gate_open(void (*has_room)(void *listener), void *listener);
void gate_close(gate *g); /* the listener has closed; the last connection frees the gate */

void gate_enter(gate *g); /* the listener has accepted a connection */
void gate_leave(gate *g); /* the connection has closed */

bool gate_has_room(const gate *g);
void gate_set(gate *g, uint32_t limit);
uint32_t gate_limit(const gate *g);
uint32_t gate_count(const gate *g); /* open accepted connections */

#endif
