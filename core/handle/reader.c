#include "handle/reader.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform/socket.h"

enum {
  CHUNK = OPS_SCRATCH,
  PEEK = 4096, /* for lines: a larger peek would copy the same bytes again for every line. The rest
                  of a longer line comes in chunks. */
  DISCARD = 1 << 20, /* costs no memory */
  ROUNDS = 256       /* system calls in one attempt: a fast sender must not keep the loop here */
};

static size_t reader_smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Ends with `taken` bytes of the scratch memory, without the last `left_out` of them. */
static bool reader_end_scratch(op *o, size_t taken, size_t left_out) {
  const char *scratch = ops_scratch(o->ops);
  size_t length = taken - left_out;
  o->as.receive.taken = taken;
  o->as.receive.data = scratch;
  if (o->state == OP_STARTING) {
    o->is_in_scratch = true; /* the caller copies the result before the loop runs again */
  } else if (length > 0) {
    o->owned = malloc(length);
    if (o->owned == NULL) return op_end(o, -ENOMEM), true;
    o->as.receive.data = memcpy(o->owned, scratch, length);
  }
  return op_end(o, (ssize_t)length), true;
}

/* Ends with the first `taken` held bytes, without the last `left_out` of them. */
static bool reader_end_held(held *h, op *o, size_t taken, size_t left_out) {
  o->owned = held_take(h, taken, &o->as.receive.data);
  o->as.receive.taken = taken;
  op_end(o, o->owned == NULL ? -ENOMEM : (ssize_t)(taken - left_out));
  return true;
}

static bool reader_end_with(op *o, ssize_t result) { return op_end(o, result), true; }

/* The stream has ended, with the peer's FIN (0) or an error: ends with the held bytes, if there are
 * any. */
static bool reader_end_cut(reader *r, op *o, ssize_t received) {
  if (received == -ENOMEM)
    return reader_end_with(o, received); /* an error of this process: the stream goes on */
  if (received < 0) r->broken = (int)received;
  bool has_some = held_length(&r->held) > 0;
  if (!has_some) return reader_end_with(o, received < 0 ? received : OP_EOF);
  o->as.receive.cut = r->broken;
  r->is_unreported = received < 0;
  return reader_end_held(&r->held, o, held_length(&r->held), 0);
}

/* Appends up to `most` bytes to the held ones. */
static ssize_t reader_fill(int fd, held *h, size_t most) {
  char *room = held_reserve(h, most);
  if (room == NULL) return -ENOMEM;
  ssize_t received = socket_receive(fd, room, most);
  if (received > 0) held_filled(h, (size_t)received);
  return received;
}

/* Appends up to a chunk. Makes room for a whole chunk only when as much has come already, so that
 * little data costs little memory. */
static ssize_t reader_fill_chunk(int fd, held *h, op *o) {
  if (held_length(h) >= CHUNK) return reader_fill(fd, h, CHUNK);
  ssize_t received = socket_receive(fd, ops_scratch(o->ops), CHUNK);
  if (received <= 0) return received;
  return held_append(h, ops_scratch(o->ops), (size_t)received) < 0 ? -ENOMEM : received;
}

static bool reader_attempt_some(int fd, reader *r, op *o) {
  held *h = &r->held;
  if (held_length(h) > 0) return reader_end_held(h, o, reader_smaller(held_length(h), CHUNK), 0);
  ssize_t received = socket_receive(fd, ops_scratch(o->ops), CHUNK);
  if (received == -EAGAIN) return false;
  o->as.receive.got_less = received > 0 && received < CHUNK;
  if (received > 0) return reader_end_scratch(o, (size_t)received, 0);
  return reader_end_cut(r, o, received);
}

/* A receive of n bytes never gets fewer: after a FIN the held bytes stay for another form of
 * receive. */
static bool reader_end_exactly(reader *r, op *o, ssize_t received) {
  bool is_whole = received == 0 && r->broken == 0;
  return is_whole ? reader_end_with(o, OP_EOF) : reader_end_cut(r, o, received);
}

static bool reader_attempt_exactly(int fd, reader *r, op *o) {
  held *h = &r->held;
  size_t want = o->as.receive.want;
  if (want == 0) return reader_end_scratch(o, 0, 0);
  if (held_length(h) == 0 && want <= CHUNK) { /* the usual case: only Lua copies the bytes */
    ssize_t received = socket_receive(fd, ops_scratch(o->ops), want);
    if (received == (ssize_t)want) return reader_end_scratch(o, want, 0);
    if (received == -EAGAIN) return false;
    if (received <= 0) return reader_end_exactly(r, o, received);
    if (held_append(h, ops_scratch(o->ops), (size_t)received) < 0)
      return reader_end_with(o, -ENOMEM);
  }
  for (int round = 0; round < ROUNDS; round++) {
    if (held_length(h) >= want) return reader_end_held(h, o, want, 0);
    ssize_t received = reader_fill(fd, h, reader_smaller(want - held_length(h), CHUNK));
    if (received == -EAGAIN) return false;
    if (received <= 0) return reader_end_exactly(r, o, received);
  }
  o->as.receive.has_more = true;
  return false;
}

/* Takes the first `line` of the peeked bytes, newline included. */
static bool reader_take_line(int fd, reader *r, op *o, size_t line, size_t newline) {
  held *h = &r->held;
  ssize_t received = socket_receive(fd, ops_scratch(o->ops), line);
  if (received != (ssize_t)line) return reader_end_with(o, received < 0 ? received : -EIO);
  if (held_length(h) == 0) return reader_end_scratch(o, line, newline);
  if (held_append(h, ops_scratch(o->ops), line) < 0) return reader_end_with(o, -ENOMEM);
  return reader_end_held(h, o, held_length(h), newline);
}

static bool reader_attempt_line(int fd, reader *r, op *o) {
  held *h = &r->held;
  size_t newline = o->as.receive.what == RECEIVE_LINE ? 1 : 0; /* bytes to leave out */
  size_t line = held_line(h);
  if (line > 0) return reader_end_held(h, o, line, newline);
  for (int round = 0; round < ROUNDS; round++) {
    const char *scratch = ops_scratch(o->ops);
    ssize_t peeked = socket_peek(fd, ops_scratch(o->ops), held_length(h) < PEEK ? PEEK : CHUNK);
    if (peeked == -EAGAIN) return false;
    if (peeked <= 0) return reader_end_cut(r, o, peeked);
    const char *end = memchr(scratch, '\n', (size_t)peeked);
    if (end != NULL) {
      line = (size_t)(end - scratch) + 1;
      o->as.receive.left_some = (size_t)peeked > line;
      return reader_take_line(fd, r, o, line, newline);
    }
    ssize_t received = reader_fill(fd, h, (size_t)peeked);
    if (received < 0) return reader_end_with(o, received);
  }
  o->as.receive.has_more = true;
  return false;
}

static bool reader_attempt_all(int fd, reader *r, op *o) {
  for (int round = 0; round < ROUNDS; round++) {
    ssize_t received = reader_fill_chunk(fd, &r->held, o);
    if (received == -EAGAIN) return false;
    bool is_nothing_whole = received == 0 && r->broken == 0 && held_length(&r->held) == 0;
    if (is_nothing_whole) return reader_end_scratch(o, 0, 0);
    if (received <= 0) return reader_end_cut(r, o, received);
  }
  o->as.receive.has_more = true;
  return false;
}

/* Takes up to `most` bytes, first the held ones, and keeps none. */
static ssize_t reader_discard(int fd, held *h, op *o, size_t most) {
  if (held_length(h) > 0) {
    const char *data;
    size_t length = reader_smaller(held_length(h), most);
    void *memory = held_take(h, length, &data);
    free(memory);
    return memory == NULL ? -ENOMEM : (ssize_t)length;
  }
  most = reader_smaller(most, o->as.receive.copies ? CHUNK : DISCARD);
  ssize_t received =
    o->as.receive.copies ? socket_receive(fd, ops_scratch(o->ops), most) : socket_discard(fd, most);
  o->as.receive.got_less = received > 0 && received < (ssize_t)most;
  return received;
}

/* The stream has ended, with the peer's FIN (0) or an error. */
static bool reader_end_discard(reader *r, op *o, ssize_t received) {
  if (received < 0 && received != -ENOMEM) r->broken = (int)received;
  if (received < 0) return reader_end_with(o, received);
  bool is_whole = o->as.receive.what == DISCARD_ALL && r->broken == 0;
  return reader_end_with(o, is_whole ? (ssize_t)o->as.receive.taken : OP_EOF);
}

static bool reader_attempt_discard(int fd, reader *r, op *o) {
  bool is_all = o->as.receive.what == DISCARD_ALL;
  for (int round = 0; round < ROUNDS; round++) {
    size_t left = is_all ? SIZE_MAX : o->as.receive.want - o->as.receive.taken;
    if (left == 0) return reader_end_with(o, (ssize_t)o->as.receive.taken);
    ssize_t received = reader_discard(fd, &r->held, o, left);
    if (received == -EAGAIN) return false;
    if (received <= 0) return reader_end_discard(r, o, received);
    o->as.receive.taken += (size_t)received;
  }
  o->as.receive.has_more = true;
  return false;
}

bool reader_wants_none(const op *o) {
  bool is_exact = o->as.receive.what == RECEIVE_EXACTLY || o->as.receive.what == DISCARD_EXACTLY;
  return is_exact && o->as.receive.want == 0;
}

/* The receive before returned the bytes that came before the error. */
static bool reader_report_broken(reader *r, op *o) {
  r->is_unreported = false;
  return reader_end_with(o, r->broken);
}

bool reader_attempt(int fd, reader *r, op *o) {
  o->as.receive.has_more = o->as.receive.got_less = o->as.receive.left_some = false;
  o->as.receive.cut = 0;
  if (r->is_unreported && !reader_wants_none(o)) return reader_report_broken(r, o);
  switch (o->as.receive.what) {
  case RECEIVE_SOME: return reader_attempt_some(fd, r, o);
  case RECEIVE_EXACTLY: return reader_attempt_exactly(fd, r, o);
  case RECEIVE_ALL: return reader_attempt_all(fd, r, o);
  case DISCARD_EXACTLY:
  case DISCARD_ALL: return reader_attempt_discard(fd, r, o);
  default: return reader_attempt_line(fd, r, o);
  }
}

void reader_broken(reader *r, int error) {
  if (r->broken == 0) r->broken = error;
}
