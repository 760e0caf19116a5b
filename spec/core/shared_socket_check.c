/* accept4(2) on a listener that blocks: another process may have taken the connection. */
#include "platform/shared_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "platform/socket.h"

static address local;

static int open_listener(void) {
  int fd = socket_open(AF_INET, 0);
  assert_int_equal(address_make("127.0.0.1", 0, &local), 0);
  assert_int_equal(socket_bind(fd, &local), 0);
  assert_int_equal(socket_listen(fd, 5), 0);
  assert_int_equal(socket_local(fd, &local), 0);
  assert_int_equal(shared_socket_set_blocking(fd, true), 0);
  return fd;
}

static int open_client(void) {
  int client = socket_open(AF_INET, 0);
  assert_int_equal(shared_socket_set_blocking(client, true), 0);
  assert_int_equal(socket_connect(client, &local), 0);
  return client;
}

/* Would hang without the timer. */
TEST(return_though_another_was_faster) {
  address peer;
  int fd = open_listener();
  for (int i = 0; i < 20; i++) assert_int_equal(shared_socket_accept_bounded(fd, &peer), -EAGAIN);
  close(fd);
}

TEST(return_though_the_signal_is_blocked) {
  address peer;
  sigset_t all, before, after;
  int fd = open_listener();
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  assert_int_equal(shared_socket_accept_bounded(fd, &peer), -EAGAIN);
  sigprocmask(SIG_SETMASK, &before, &after);
  assert_true(sigismember(&after, SIGRTMAX));
  close(fd);
}

TEST(leave_the_signal_as_it_was) {
  address peer;
  struct sigaction after;
  int fd = open_listener();
  assert_int_equal(shared_socket_accept_bounded(fd, &peer), -EAGAIN);
  assert_int_equal(sigaction(SIGRTMAX, NULL, &after), 0);
  assert_true(after.sa_handler == SIG_DFL);
  close(fd);
}

TEST(accept_what_waits) {
  address peer;
  int fd = open_listener();
  assert_int_equal(shared_socket_accept(fd, &peer), -EAGAIN);
  int client = open_client();
  int accepted = shared_socket_accept(fd, &peer);
  assert_true(accepted >= 0);
  assert_true(fcntl(accepted, F_GETFL) & O_NONBLOCK);
  assert_int_equal(shared_socket_accept(fd, &peer), -EAGAIN);
  close(accepted);
  close(client);
  close(fd);
}

TEST(fail_when_it_listens_no_more) {
  address peer;
  int fd = open_listener();
  assert_int_equal(socket_shutdown(fd, SHUT_RD), 0);
  assert_int_equal(shared_socket_accept(fd, &peer), -EINVAL);
  close(fd);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(return_though_another_was_faster),
    cmocka_unit_test(return_though_the_signal_is_blocked),
    cmocka_unit_test(leave_the_signal_as_it_was),
    cmocka_unit_test(accept_what_waits),
    cmocka_unit_test(fail_when_it_listens_no_more),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
