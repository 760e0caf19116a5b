/* How each form of receive takes bytes from the kernel: only those that belong to its result. For
 * a line that means to peek, then to take up to the newline, or everything while there is none. */
#ifndef LUNET_HANDLE_READER_H
#define LUNET_HANDLE_READER_H

#include "handle/held.h"
#include "handle/op.h"

/* Goes on with a receive op. True: it has ended. False: it needs bytes that are not there yet, or
 * that it leaves for its next attempt (has_more); what was taken is in `h`. */
bool reader_attempt(int fd, held *h, op *o);

#endif
