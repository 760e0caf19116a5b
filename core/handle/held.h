/* Bytes that a receive took from the kernel and has not returned. They begin a line or a block
 * whose rest did not come in time. */
#ifndef LUNET_HANDLE_HELD_H
#define LUNET_HANDLE_HELD_H

#include <stddef.h>

/* Zeroed memory is valid and holds nothing, the usual case. */
typedef struct held {
  struct held_memory *memory; /* malloc'ed; held_free frees it, held_take may hand it over */
} held;

size_t held_length(const held *h);
const char *held_data(const held *h); /* NULL if it holds nothing */

/* Makes room for `more` bytes behind the held ones. Returns the place, or NULL without memory. */
char *held_reserve(held *h, size_t more);
void held_filled(held *h, size_t length); /* the caller has put `length` bytes there */

int held_append(held *h, const char *data, size_t length); /* 0 or -ENOMEM */

/* Takes the first `length` bytes and points *data at them. Returns their malloc'ed memory, which
 * the caller frees, or NULL without memory. */
void *held_take(held *h, size_t length, const char **data);

/* The length of the first line with its newline; 0 if there is no newline. */
size_t held_line(const held *h);

void held_free(held *h);

#endif
