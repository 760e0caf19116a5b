/* How each form of receive takes bytes from the kernel: only those that belong to its result. For
 * a line that means to peek, then to take up to the newline, or everything while there is none. */
#ifndef LUNET_HANDLE_READER_H
#define LUNET_HANDLE_READER_H

#include "handle/held.h"
#include "handle/op.h"

/* What a connection knows of the stream that it reads. Zeroed memory is a valid one. */
typedef struct reader {
  held held;
  int broken;     /* the error that ended the stream, after which nothing is whole; 0: none */
  bool is_untold; /* the kernel has told that error, and no receive has yet */
} reader;

/* Goes on with a receive op. True: it has ended. False: it needs bytes that are not there yet, or
 * that it leaves for its next attempt (has_more); what was taken is in `r`.
 *
 * Bytes that came before an error are a result of their own, with the error in as.receive.cut; the
 * next receive fails with it. */
bool reader_attempt(int fd, reader *r, op *o);

/* Another call has been told the error that ended the stream, and the kernel tells it only once. */
void reader_broken(reader *r, int error);

#endif
