/* Bytes that a receive took from the kernel and has not returned: the part of a line or of a block
 * whose rest did not come in time. */
#ifndef LUNET_HANDLE_HELD_H
#define LUNET_HANDLE_HELD_H

#include <stddef.h>

/* Zeroed memory is a valid one that holds nothing, as most connections do. */
typedef struct held {
  struct held_memory *memory; /* malloc'ed; freed by held_free, or handed over by held_take */
} held;

size_t held_length(const held *h);
const char *held_data(const held *h); /* NULL if there is nothing */

/* Room for `more` bytes behind those held: where to put them, or NULL without memory. */
char *held_reserve(held *h, size_t more);
void held_filled(held *h, size_t length); /* so many were put there */

int held_append(held *h, const char *data, size_t length); /* 0 or -ENOMEM */

/* The first `length` bytes: they are at *data in malloc'ed memory, which it returns and which is
 * the caller's from now on. NULL without memory. */
void *held_take(held *h, size_t length, const char **data);

/* How many bytes make the first line, its newline included; 0 if there is no newline. */
size_t held_line(const held *h);

void held_free(held *h);

#endif
