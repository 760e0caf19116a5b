/* Addresses in short form come back as they were. */
#include "handle/ends.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

static void check_same(struct ends *all, const char *text, uint32_t scope) {
  address before, after;
  struct trace_end e;
  assert_int_equal(address_parse(text, &before), 0);
  if (address_family(&before) == AF_INET6) before.as.in6.sin6_scope_id = scope;
  ends_put(all, &e, &before);
  assert_true(ends_get(all, &e, &after));
  assert_int_equal(after.length, before.length);
  assert_memory_equal(&after.as, &before.as, before.length);
}

TEST(come_back_as_they_were) {
  struct ends all = {.count = 0};
  for (int i = 0; i < 2; i++) { /* the second time they are known */
    check_same(&all, "10.1.2.3:80", 0);
    check_same(&all, "255.255.255.255:65535", 0);
    check_same(&all, "[::1]:1", 0);
    check_same(&all, "[fe80::1]:7000", 3);
    check_same(&all, "[fe80::1]:7000", 4);
    check_same(&all, "[fe80::1]:7001", 4);
    check_same(&all, "[::ffff:10.0.0.2]:80", 0);
  }
  assert_int_equal(all.count, 4);
  ends_free(&all);
}

TEST(stand_in_the_table_once) {
  struct ends all = {.count = 0};
  char text[64];
  for (int turn = 0; turn < 2; turn++)
    for (int i = 0; i < 3000; i++) {
      snprintf(text, sizeof text, "[fd00::%x]:%d", i * 7 % 3000, i + 1);
      check_same(&all, text, 0);
    }
  assert_int_equal(all.count, 3000);
  ends_free(&all);
  assert_int_equal(all.count, 0);
}

TEST(are_none_of_other_families_and_without_room) {
  struct ends all = {.count = 0};
  struct trace_end e;
  address a, out;
  assert_int_equal(address_parse("unix:/tmp/x", &a), 0);
  ends_put(&all, &e, &a);
  assert_false(ends_get(&all, &e, &out));
  assert_int_equal(out.length, 0);
  assert_int_equal(e.port, 0);
  all.count = all.room = ENDS_MOST;
  assert_int_equal(address_parse("[::1]:80", &a), 0);
  ends_put(&all, &e, &a);
  assert_false(ends_get(&all, &e, &out));
  assert_int_equal(e.port, 80);
  assert_int_equal(e.family, AF_INET6); /* its family is known */
  all.count = all.room = 0;
  ends_free(&all);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(come_back_as_they_were),
    cmocka_unit_test(stand_in_the_table_once),
    cmocka_unit_test(are_none_of_other_families_and_without_room),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
