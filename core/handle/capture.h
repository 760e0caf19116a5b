/* A capture: the last TCP segments that passed a host, as its tap saw them. It is a handle
 * (scope.h), whose close reads what has come. */
#ifndef LUNET_HANDLE_CAPTURE_H
#define LUNET_HANDLE_CAPTURE_H

#include <stdbool.h>

#include "handle/host.h"
#include "handle/loop.h"
#include "handle/scope.h"
#include "platform/tap.h"

typedef struct capture capture;

/* most: how many segments it keeps. */
int capture_open(loop *lp, const struct place *p, const host *h, uint32_t most, capture **out);

/* Reads what has come. 0 or a negative errno. */
int capture_read(capture *c);

/* Segments are numbered from 0. Those from first up to, not including, next are still there. */
uint64_t capture_first(const capture *c);
uint64_t capture_next(const capture *c);
const struct segment *capture_segment(const capture *c, uint64_t number);

uint64_t capture_dropped(capture *c); /* by the kernel: they came faster than they were read */
uint64_t capture_error_ns(const capture *c); /* by which times may be off, at most */

#endif
