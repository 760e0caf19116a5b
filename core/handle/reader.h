/* Each form of receive and of discard, which takes from the kernel only the bytes of its result. A
 * receive of a line peeks, then takes the bytes up to the newline, or all if there is no newline
 * yet. A discard counts the bytes that it takes, also if it fails. */
#ifndef LUNET_HANDLE_READER_H
#define LUNET_HANDLE_READER_H

#include "handle/held.h"
#include "handle/op.h"

/* The reading side of a connection. Zeroed memory is valid. */
typedef struct reader {
  held held;
  int broken;         /* the error that ended the stream; 0: none */
  bool is_unreported; /* no receive has returned that error yet */
} reader;

/* Goes on with a receive op. Returns true when it has ended the op. Returns false when the op needs
 * more bytes: they have not come, or the next attempt takes them (has_more). `r` holds the bytes
 * taken so far.
 *
 * Bytes that came before an error are a result, with the error in as.receive.cut. The next receive
 * fails with that error. */
bool reader_attempt(int fd, reader *r, op *o);

/* Whether a receive op asks for 0 bytes. */
bool reader_wants_none(const op *o);

/* Notes the error that ended the stream: another call got it, and the kernel reports it once. */
void reader_broken(reader *r, int error);

#endif
