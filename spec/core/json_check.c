/* The text of numbers and strings in JSON. */
#include "platform/json.h"

#include <string.h>

#include "check.h"

/* Compares the text with what the last calls have added, and empties it. */
static void check_text(struct json *j, const char *wanted) {
  json_add(j, "", 1); /* its end */
  assert_string_equal(j->bytes, wanted);
  j->length = 0;
}

TEST(write_numbers) {
  struct json j = {.length = 0};
  json_add_integer(&j, 0);
  check_text(&j, "0");
  json_add_integer(&j, -7);
  check_text(&j, "-7");
  json_add_integer(&j, INT64_MAX);
  check_text(&j, "9223372036854775807");
  json_add_integer(&j, INT64_MIN);
  check_text(&j, "-9223372036854775808");
  json_free(&j);
}

TEST(write_seconds) {
  struct json j = {.length = 0};
  json_add_seconds(&j, 0);
  check_text(&j, "0.000000000");
  json_add_seconds(&j, 1);
  check_text(&j, "0.000000001");
  json_add_seconds(&j, -1500000000);
  check_text(&j, "-1.500000000");
  json_add_seconds(&j, INT64_MIN);
  check_text(&j, "-9223372036.854775808");
  json_free(&j);
}

static void check_string(const char *text, const char *wanted) {
  struct json j = {.length = 0};
  json_add_string(&j, text, strlen(text));
  check_text(&j, wanted);
  json_free(&j);
}

TEST(write_strings) {
  check_string("", "\"\"");
  check_string("plain", "\"plain\"");
  check_string("\"\\\n\x7f", "\"\\\"\\\\\\u000a\\u007f\"");
  check_string("a\xc3\xa9z", "\"a\xc3\xa9z\"");
  check_string("\xff\xc3", "\"\\\\xff\\\\xc3\"");
}

TEST(grow) {
  struct json j = {.length = 0};
  for (int i = 0; i < 100000; i++) json_add(&j, "0123456789", 10);
  assert_int_equal(j.length, 1000000);
  assert_memory_equal(j.bytes + 999990, "0123456789", 10);
  assert_false(j.lacks_memory);
  json_free(&j);
  assert_null(j.bytes);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(write_numbers),
    cmocka_unit_test(write_seconds),
    cmocka_unit_test(write_strings),
    cmocka_unit_test(grow),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
