/* A capture keeps the last TCP segments that passed a host's tap. It is a handle (scope.h); its
 * close first reads the segments that have come. */
#ifndef LUNET_HANDLE_CAPTURE_H
#define LUNET_HANDLE_CAPTURE_H

#include "handle/host.h"
#include "handle/loop.h"
#include "handle/scope.h"
#include "platform/tap.h"

typedef struct capture capture;

/* most: the number of segments to keep. 0 or a negative errno. */
int capture_open(loop *lp, const struct place *p, const host *h, uint32_t most, capture **out);

/* Reads the segments that have come. 0 or a negative errno. */
int capture_read(capture *c);

/* Segments are numbered from 0. The capture still has those from first up to next - 1. */
uint64_t capture_first(const capture *c);
uint64_t capture_next(const capture *c);
const struct segment *capture_segment(const capture *c, uint64_t number);

uint64_t capture_dropped(capture *c);        /* segments that came faster than the loop read them */
uint64_t capture_error_ns(const capture *c); /* the most by which times are off */

#endif
