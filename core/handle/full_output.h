/* Notices, while the trace is probing, that a program's stream is full because nobody reads it: a
 * program that writes there stands still. */
#ifndef LUNET_HANDLE_FULL_OUTPUT_H
#define LUNET_HANDLE_FULL_OUTPUT_H

#include "handle/trace.h"

typedef struct full_output full_output;

/* `far` is the program's end of the pair, which need not stay open; `about` names the stream. */
int full_output_open(trace *t, int far, const struct trace_socket *about, full_output **out);
void full_output_close(full_output *f); /* of NULL: nothing */

#endif
