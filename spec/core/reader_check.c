/* The reader at its boundaries, over a socketpair: what it returns, what it leaves in the kernel,
 * and what it holds. */
#include "handle/reader.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "handle/loop.h"

#define PEEK ((size_t)4096)         /* as reader.c peeks for lines */
#define CHUNK ((size_t)OPS_SCRATCH) /* as reader.c takes at once */
#define MOST (3 * CHUNK)

static loop *lp;
static int near, far;
static reader r;
static char pattern[MOST]; /* no newline in it */

static void open_pair(void) {
  int ends[2], room = (int)(4 * MOST); /* the kernel may give less; feed() checks */
  assert_true(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  near = ends[0];
  far = ends[1];
  assert_true(held_length(&r.held) == 0);
}

static void close_pair(void) {
  close(near);
  close(far);
  held_free(&r.held);
  r = (reader){0};
}

static void feed(const char *data, size_t length) {
  assert_true(write(near, data, length) == (ssize_t)length);
}

static int left_in_kernel(void) {
  int bytes;
  assert_true(ioctl(far, FIONREAD, &bytes) == 0);
  return bytes;
}

/* Whether the op of a receive comes to its end: at its first attempt, or at one after a wait. */
static bool attempt(op *o, enum receive_what what, size_t want, bool waited) {
  op_start(o, loop_ops(lp), DEADLINE_NEVER);
  o->as.receive.what = what;
  o->as.receive.want = want;
  if (waited) op_wait(o, NULL);
  bool has_ended = reader_attempt(far, &r, o);
  assert_true(has_ended == op_ended(o));
  list_remove(&o->link); /* from the loop's ready queue, if it waited */
  return has_ended;
}

static void gives(enum receive_what what, size_t want, const char *data, size_t length) {
  static bool waited;
  op o;
  waited = !waited;
  assert_true(attempt(&o, what, want, waited));
  assert_true(o.result == (ssize_t)length);
  assert_true(length == 0 || memcmp(o.as.receive.data, data, length) == 0);
  /* Scratch memory is good for those only who have not waited. */
  assert_true(!waited || length == 0 || o.as.receive.data != ops_scratch(loop_ops(lp)));
  op_release(&o);
}

static void fails(enum receive_what what, size_t want, ssize_t result) {
  op o;
  assert_true(attempt(&o, what, want, false));
  assert_true(o.result == result);
  op_release(&o);
}

static void needs_more(enum receive_what what, size_t want) {
  op o;
  assert_true(!attempt(&o, what, want, false));
  assert_true(!attempt(&o, what, want, true));
}

static const size_t lengths[] = {
  0,     1,         PEEK - 2,  PEEK - 1, PEEK,      PEEK + 1,      2 * PEEK,      CHUNK - 2,
  CHUNK, CHUNK - 1, CHUNK + 1, 2 * PEEK, 2 * CHUNK, 2 * CHUNK - 1, 2 * CHUNK + 1, CHUNK + PEEK};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

/* A line takes nothing that comes after it. */
TEST(read_lines) {
  static char line[MOST];
  for (int i = 0; i < LENGTHS; i++) {
    size_t length = lengths[i];
    memcpy(line, pattern, length);
    line[length] = '\n';
    for (int kept = 0; kept < 2; kept++) {
      open_pair();
      feed(line, length + 1);
      feed("next\nrest", 9);
      gives(kept ? RECEIVE_LINE_KEPT : RECEIVE_LINE, 0, line, length + (kept ? 1 : 0));
      assert_true(left_in_kernel() == 9 && held_length(&r.held) == 0);
      gives(RECEIVE_LINE, 0, "next", 4);
      assert_true(left_in_kernel() == 4 && held_length(&r.held) == 0);
      close_pair();
    }
  }
}

/* While there is no newline, all that has come is taken and held. */
TEST(read_lines_in_parts) {
  static char line[MOST];
  for (int i = 0; i < LENGTHS; i++) {
    size_t length = lengths[i];
    memcpy(line, pattern, length);
    line[length] = '\n';
    open_pair();
    needs_more(RECEIVE_LINE, 0);
    for (size_t part = 0, at = 0; at < length; at += part) {
      part = length - at < 5000 ? length - at : 5000;
      feed(line + at, part);
      needs_more(RECEIVE_LINE, 0);
      assert_true(left_in_kernel() == 0 && held_length(&r.held) == at + part);
    }
    feed("\nrest", 5);
    gives(RECEIVE_LINE, 0, line, length);
    assert_true(left_in_kernel() == 4 && held_length(&r.held) == 0);
    close_pair();
  }
}

TEST(read_exactly) {
  for (int i = 0; i < LENGTHS; i++) {
    size_t length = lengths[i];
    open_pair();
    feed(pattern, length + 3);
    gives(RECEIVE_EXACTLY, length, pattern, length);
    assert_true(left_in_kernel() == 3 && held_length(&r.held) == 0);
    gives(RECEIVE_EXACTLY, 0, NULL, 0);
    assert_true(left_in_kernel() == 3);
    gives(RECEIVE_EXACTLY, 3, pattern + length, 3);
    needs_more(RECEIVE_EXACTLY, 1);
    close_pair();
  }
}

TEST(read_exactly_in_parts) {
  open_pair();
  needs_more(RECEIVE_EXACTLY, MOST);
  size_t at = 0;
  for (size_t part = 1; at + part < MOST; part = 3 * part) {
    feed(pattern + at, part);
    at += part;
    needs_more(RECEIVE_EXACTLY, MOST);
    assert_true(left_in_kernel() == 0 && held_length(&r.held) == at);
  }
  feed(pattern + at, MOST - at);
  feed("rest", 4);
  gives(RECEIVE_EXACTLY, MOST, pattern, MOST);
  assert_true(left_in_kernel() == 4 && held_length(&r.held) == 0);
  close_pair();
}

TEST(read_some) {
  open_pair();
  needs_more(RECEIVE_SOME, 0);
  feed("x", 1);
  gives(RECEIVE_SOME, 0, "x", 1);
  feed(pattern, CHUNK + 5);
  gives(RECEIVE_SOME, 0, pattern, CHUNK);
  gives(RECEIVE_SOME, 0, pattern + CHUNK, 5);
  close_pair();
}

TEST(read_all) {
  open_pair();
  needs_more(RECEIVE_ALL, 0);
  feed(pattern, 2 * CHUNK);
  needs_more(RECEIVE_ALL, 0);
  assert_true(left_in_kernel() == 0 && held_length(&r.held) == 2 * CHUNK);
  feed(pattern + 2 * CHUNK, CHUNK);
  shutdown(near, SHUT_WR);
  gives(RECEIVE_ALL, 0, pattern, MOST);
  gives(RECEIVE_ALL, 0, NULL, 0);
  gives(RECEIVE_ALL, 0, NULL, 0);
  close_pair();
}

/* Bytes that one form has taken and not returned belong to the next, whatever its form. */
TEST(hand_over_held_bytes) {
  open_pair();
  feed("ab\ncd\nef", 8);
  needs_more(RECEIVE_EXACTLY, 100);
  assert_true(left_in_kernel() == 0 && held_length(&r.held) == 8);
  gives(RECEIVE_LINE, 0, "ab", 2);
  gives(RECEIVE_EXACTLY, 1, "c", 1);
  gives(RECEIVE_LINE_KEPT, 0, "d\n", 2);
  needs_more(RECEIVE_LINE, 0);
  feed("gh\nij", 5);
  gives(RECEIVE_LINE, 0, "efgh", 4);
  assert_true(left_in_kernel() == 2 && held_length(&r.held) == 0);
  needs_more(RECEIVE_EXACTLY, 3);
  feed("k", 1);
  assert_true(held_length(&r.held) == 2);
  gives(RECEIVE_SOME, 0, "ij", 2); /* held bytes alone: no system call is needed */
  assert_true(left_in_kernel() == 1);
  needs_more(RECEIVE_ALL, 0);
  shutdown(near, SHUT_WR);
  gives(RECEIVE_ALL, 0, "k", 1);
  close_pair();
  open_pair();
  feed(pattern, CHUNK);
  needs_more(RECEIVE_EXACTLY, MOST);
  feed(pattern + CHUNK, 10);
  needs_more(RECEIVE_EXACTLY, MOST);
  gives(RECEIVE_SOME, 0, pattern, CHUNK); /* no more than a chunk */
  gives(RECEIVE_SOME, 0, pattern + CHUNK, 10);
  close_pair();
}

TEST(end_with_the_stream) {
  open_pair();
  shutdown(near, SHUT_WR);
  fails(RECEIVE_SOME, 0, OP_EOF);
  fails(RECEIVE_LINE, 0, OP_EOF);
  fails(RECEIVE_LINE_KEPT, 0, OP_EOF);
  fails(RECEIVE_EXACTLY, 1, OP_EOF);
  gives(RECEIVE_EXACTLY, 0, NULL, 0);
  gives(RECEIVE_ALL, 0, NULL, 0);
  close_pair();
  open_pair();
  feed("last", 4);
  shutdown(near, SHUT_WR);
  fails(RECEIVE_EXACTLY, 5, OP_EOF);
  assert_true(held_length(&r.held) == 4); /* still there for another form */
  gives(RECEIVE_LINE_KEPT, 0, "last", 4);
  fails(RECEIVE_LINE, 0, OP_EOF);
  close_pair();
  open_pair();
  feed("x", 1);
  shutdown(near, SHUT_WR);
  gives(RECEIVE_LINE, 0, "x", 1);
  fails(RECEIVE_LINE, 0, OP_EOF);
  close_pair();
}

TEST(tell_errors) {
  open_pair();
  close(far);
  fails(RECEIVE_SOME, 0, -EBADF);
  fails(RECEIVE_EXACTLY, 1, -EBADF);
  fails(RECEIVE_EXACTLY, MOST, -EBADF);
  fails(RECEIVE_LINE, 0, -EBADF);
  fails(RECEIVE_ALL, 0, -EBADF);
  assert_true(held_length(&r.held) == 0);
  close(near);
  held_free(&r.held);
}

static int open_loop(void **state) {
  (void)state;
  for (size_t i = 0; i < MOST; i++) pattern[i] = (char)(i % 251 == '\n' ? 0 : i % 251);
  return loop_open(&lp);
}

static int close_loop(void **state) {
  (void)state;
  loop_close(lp);
  return 0;
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(read_lines),
    cmocka_unit_test(read_lines_in_parts),
    cmocka_unit_test(read_exactly),
    cmocka_unit_test(read_exactly_in_parts),
    cmocka_unit_test(read_some),
    cmocka_unit_test(read_all),
    cmocka_unit_test(hand_over_held_bytes),
    cmocka_unit_test(end_with_the_stream),
    cmocka_unit_test(tell_errors),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, open_loop, close_loop);
}
