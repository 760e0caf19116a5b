/* Notices that a program's stream is full because nobody reads it, while the trace is probing. A
 * program that writes to a full stream stands still. */
#ifndef LUNET_HANDLE_FULL_OUTPUT_H
#define LUNET_HANDLE_FULL_OUTPUT_H

#include "handle/trace.h"

typedef struct full_output full_output;

/* `far` is the program's end of the pair, which the caller may close afterwards. `about` names the
 * stream. 0 or a negative errno. */
int full_output_open(trace *t, int far, const struct trace_socket *about, full_output **out);
void full_output_close(full_output *f); /* NULL is allowed */

#endif
