/* The processes that hold a socket, by /proc/PID/fd: the listing can fail. */
#include "platform/process_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int holds(pid_t number, uint32_t inode) {
  struct process_entry entry = {.number = number};
  struct process_tree tree = {.entries = &entry, .count = 1};
  return process_tree_holds(&tree, inode);
}

static uint32_t open_socket(int *fd) {
  struct stat status;
  *fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(*fd != -1 && fstat(*fd, &status) == 0);
  return (uint32_t)status.st_ino;
}

TEST(hold_a_socket_or_not) {
  int fd;
  uint32_t inode = open_socket(&fd);
  assert_int_equal(holds(getpid(), inode), 1);
  close(fd);
  assert_int_equal(holds(getpid(), inode), 0);
}

TEST(hold_nothing_when_ended) {
  pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t end;
  assert_int_equal(waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT), 0);
  assert_int_equal(holds(child, 1), 0); /* a zombie */
  waitpid(child, NULL, 0);
  assert_int_equal(holds(child, 1), 0);
}

TEST(tell_a_failed_listing) {
  int fd;
  struct rlimit before, none;
  uint32_t inode = open_socket(&fd);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  none = before;
  none.rlim_cur = 0;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  assert_int_equal(holds(getpid(), inode), -EMFILE);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  close(fd);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(hold_a_socket_or_not),
    cmocka_unit_test(hold_nothing_when_ended),
    cmocka_unit_test(tell_a_failed_listing),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
