/* How many accepted connections a listener lets be open at once. Shared by the listener and by the
 * connections it accepted, since either may be gone first. */
#ifndef LUNET_HANDLE_GATE_H
#define LUNET_HANDLE_GATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct gate gate;

#define GATE_OPEN UINT32_MAX /* no bound */

/* has_room is called with the listener when there may be room again. NULL: no memory. */
gate *gate_open(void (*has_room)(void *listener), void *listener);
void gate_close(gate *g); /* the listener is closed; freed when the last connection left */

void gate_enter(gate *g); /* a connection was accepted */
void gate_leave(gate *g); /* it is closed: the listener may have room again */

bool gate_has_room(const gate *g);
void gate_set(gate *g, uint32_t limit);
uint32_t gate_limit(const gate *g);
uint32_t gate_count(const gate *g); /* accepted connections that are open */

#endif
