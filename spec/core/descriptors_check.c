/* The limit of descriptors, raised for lunet and kept for its programs. */
#include "platform/descriptors.h"

#include "check.h"

static struct rlimit limit_now(void) {
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  return limit;
}

static void set_soft_limit(rlim_t value) {
  struct rlimit limit = limit_now();
  limit.rlim_cur = value;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(inherit_the_limit_from_before) {
  set_soft_limit(50);
  assert_int_equal(descriptors_inherited(), 50); /* not raised yet: the present one */
  set_soft_limit(40);
  descriptors_raise();
  assert_int_equal(limit_now().rlim_cur, limit_now().rlim_max);
  assert_int_equal(descriptors_inherited(), 40);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(inherit_the_limit_from_before),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
