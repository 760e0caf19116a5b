/* libnl's errors as errno. */
#include "platform/netlink_error.h"

#include <errno.h>
#include <netlink/errno.h>

#include "check.h"

TEST(pass_on_results_that_are_no_errors) {
  errno = ENOENT;
  assert_int_equal(netlink_errno(0), 0);
  assert_int_equal(netlink_errno(7), 7);
}

TEST(turn_errors_of_the_kernel_back) {
  static const int numbers[] = {EEXIST, ENOENT, ENOMEM,        EPERM,       ENODEV,
                                EBUSY,  ERANGE, EADDRNOTAVAIL, EINTR,       EAGAIN,
                                EINVAL, EACCES, EOPNOTSUPP,    EAFNOSUPPORT};
  errno = 0;
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
    assert_int_equal(netlink_errno(-nl_syserr2nlerr(numbers[i])), -numbers[i]);
}

TEST(take_the_number_of_a_system_call_from_errno) {
  errno = EMFILE;
  assert_int_equal(netlink_errno(-NLE_FAILURE), -EMFILE);
  errno = ENOBUFS; /* libnl has one number for ENOMEM and ENOBUFS */
  assert_int_equal(netlink_errno(-NLE_NOMEM), -ENOBUFS);
}

TEST(never_call_a_failure_a_success) {
  errno = 0;
  assert_int_equal(netlink_errno(-NLE_FAILURE), -EIO);
  for (int error = 1; error <= NLE_MAX; error++) assert_true(netlink_errno(-error) < 0);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pass_on_results_that_are_no_errors),
    cmocka_unit_test(turn_errors_of_the_kernel_back),
    cmocka_unit_test(take_the_number_of_a_system_call_from_errno),
    cmocka_unit_test(never_call_a_failure_a_success),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
