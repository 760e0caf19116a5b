/* A connection that was told of bytes waits for the next ones without asking the kernel. It must
 * not wait for what it was told of already, or for what stands behind a place where the kernel
 * stops. */
#include "handle/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "handle/loop.h"
#include "platform/clock.h"

#define BOUND_NS 5000000000ull

static loop *lp;
static connection *c;
static int peer;
static op o;

static void on_deliver(op *delivered) { (void)delivered; }

static int open_tcp(int ends[2]) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  int queue = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(bind(queue, (struct sockaddr *)&at, sizeof at) == 0 && listen(queue, 1) == 0);
  assert_true(getsockname(queue, (struct sockaddr *)&at, &length) == 0);
  ends[1] = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(connect(ends[1], (struct sockaddr *)&at, sizeof at) == 0);
  ends[0] = accept4(queue, NULL, NULL, SOCK_NONBLOCK);
  return close(queue);
}

static int open_unix(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
}

static void receive(void) {
  op_start(&o, loop_ops(lp), clock_now_ns() + BOUND_NS);
  o.done = on_deliver;
  o.as.receive.what = RECEIVE_SOME;
  connection_receive(c, &o);
}

static void gives(const char *text) {
  while (!op_ended(&o)) loop_step(lp, true);
  assert_true(o.result == (ssize_t)strlen(text));
  assert_true(memcmp(o.as.receive.data, text, strlen(text)) == 0);
  op_release(&o);
  loop_step(lp, false);
}

static void ends_with(ssize_t result) {
  while (!op_ended(&o)) loop_step(lp, true);
  assert_true(o.result == result);
  loop_step(lp, false);
}

static void feed(const char *text, int flags) {
  assert_true(send(peer, text, strlen(text), flags) == (ssize_t)strlen(text));
}

/* Opens a connection that has been told of bytes and has received all of them. */
static void open_drained(int (*open_ends)(int ends[2])) {
  struct place p = {.scope = loop_scope(lp)};
  int ends[2];
  assert_true(open_ends(ends) == 0);
  peer = ends[1];
  assert_true(connection_open(lp, &p, ends[0], &c) == 0);
  connection_of_program(c, 0); /* it knows its peer */
  receive();
  assert_true(!op_ended(&o));
  feed("first", 0);
  gives("first");
}

/* The loop tells what there is while nobody waits. */
static void tell(void) {
  usleep(1000);
  loop_step(lp, false);
}

static void finish(void) {
  close(peer);
  handle_free(c);
}

TEST(waits_for_what_comes) {
  open_drained(open_tcp);
  receive();
  assert_true(!op_ended(&o));
  feed("second", 0);
  gives("second");
  feed("third", 0);
  tell();
  receive();
  assert_true(op_ended(&o)); /* at once */
  gives("third");
  finish();
}

TEST(asks_for_what_a_poll_may_find) {
  open_drained(open_tcp);
  feed("second", 0);
  op_start(&o, loop_ops(lp), DEADLINE_POLL);
  o.as.receive.what = RECEIVE_SOME;
  connection_receive(c, &o);
  gives("second");
  op_start(&o, loop_ops(lp), DEADLINE_NEVER);
  o.as.receive.what = RECEIVE_EXACTLY;
  o.as.receive.want = 0;
  connection_receive(c, &o);
  assert_true(op_ended(&o) && o.result == 0);
  finish();
}

TEST(finds_the_end_behind_bytes) {
  open_drained(open_tcp);
  feed("last", 0);
  shutdown(peer, SHUT_WR);
  tell();
  receive();
  gives("last");
  receive();
  ends_with(OP_EOF);
  receive();
  ends_with(OP_EOF);
  finish();
}

TEST(finds_the_reset_behind_bytes) {
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  open_drained(open_tcp);
  feed("last", 0);
  setsockopt(peer, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(peer);
  peer = -1;
  tell();
  receive();
  gives("last");
  receive();
  ends_with(-ECONNRESET);
  receive();
  ends_with(OP_EOF);
  finish();
}

/* The kernel stops before urgent data, though there is more behind. */
TEST(finds_bytes_behind_urgent_data) {
  open_drained(open_tcp);
  feed("before", 0);
  feed("!", MSG_OOB);
  feed("behind", 0);
  tell();
  receive();
  gives("before");
  receive();
  gives("behind");
  finish();
}

/* And on Unix behind what carries a descriptor. */
TEST(finds_bytes_behind_a_descriptor) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  struct iovec memory = {"with", 4};
  struct msghdr message = {
    .msg_iov = &memory, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  open_drained(open_unix);
  memcpy(CMSG_DATA(&control.header), &peer, sizeof peer);
  assert_true(sendmsg(peer, &message, 0) == 4);
  feed("behind", 0);
  tell();
  receive();
  gives("with");
  receive();
  gives("behind");
  finish();
}

static int open_loop(void **state) {
  (void)state;
  return loop_open(&lp);
}

static int close_loop(void **state) {
  (void)state;
  loop_close(lp);
  return 0;
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(waits_for_what_comes),
    cmocka_unit_test(asks_for_what_a_poll_may_find),
    cmocka_unit_test(finds_the_end_behind_bytes),
    cmocka_unit_test(finds_the_reset_behind_bytes),
    cmocka_unit_test(finds_bytes_behind_urgent_data),
    cmocka_unit_test(finds_bytes_behind_a_descriptor),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, open_loop, close_loop);
}
