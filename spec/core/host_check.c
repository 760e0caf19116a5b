/* The numbers of hosts: 0 is home, so none may come round to it. */
#include "handle/host.h"

#include <errno.h>

#include "check.h"
#include "handle/loop.h"

TEST(end_where_their_room_ends) {
  loop *lp;
  host *h = NULL;
  assert_true(loop_open(&lp) == 0);
  for (int number = 1; number <= HOSTS_MOST; number++) assert_true(loop_next_host(lp) == number);
  for (int again = 0; again < 2; again++) {
    assert_true(loop_next_host(lp) == -EOVERFLOW);
    assert_true(host_open(lp, loop_scope(lp), "one too many", &h) == -EOVERFLOW && h == NULL);
  }
  loop_close(lp);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(end_where_their_room_ends),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
