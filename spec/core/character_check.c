/* How many columns a character takes on a terminal, whatever the locale of the process. */
#include "platform/character.h"

#include <locale.h>

#include "check.h"

static void check_widths(void) {
  assert_int_equal(character_width('a'), 1);
  assert_int_equal(character_width(0xe9), 1);    /* e with an acute accent */
  assert_int_equal(character_width(0x301), 0);   /* the accent alone: it combines */
  assert_int_equal(character_width(0x6f22), 2);  /* a Han character */
  assert_int_equal(character_width(0x1f600), 2); /* an emoji */
}

TEST(take_their_columns_in_every_locale) {
  check_widths();
  assert_non_null(setlocale(LC_ALL, "C"));
  check_widths();
}

TEST(leave_the_locale_as_it_is) {
  uselocale(LC_GLOBAL_LOCALE); /* an earlier test may have left another */
  character_width(0x6f22);
  assert_true(uselocale((locale_t)0) == LC_GLOBAL_LOCALE);
}

TEST(count_controls_and_unassigned_ones_as_none) {
  static const uint32_t codes[] = {0, 0x1b, 0x7f, 0x80, 0x9b, 0x9f, 0xd800, 0x10ffff};
  for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
    assert_int_equal(character_width(codes[i]), -1);
  assert_int_equal(character_width(' '), 1);
  assert_int_equal(character_width(0xa0), 1); /* the first one after the controls */
}

static void check_length(const char *text, size_t length, size_t wanted) {
  assert_int_equal(character_length(text, length), wanted);
}

TEST(have_their_length_in_utf8) {
  check_length("\0", 1, 1);
  check_length("az", 2, 1);
  check_length("\xc2\x80", 2, 2);
  check_length("\xe0\xa0\x80", 3, 3);
  check_length("\xef\xbf\xbf", 3, 3);
  check_length("\xf4\x8f\xbf\xbf", 4, 4);
}

TEST(are_no_characters) {
  check_length("\x80", 1, 0);             /* a later byte of one */
  check_length("\xc1\xbf", 2, 0);         /* longer than need be */
  check_length("\xe0\x9f\xbf", 3, 0);     /* likewise */
  check_length("\xed\xa0\x80", 3, 0);     /* a surrogate */
  check_length("\xf4\x90\x80\x80", 4, 0); /* above U+10FFFF */
  check_length("\xe2\x82", 2, 0);         /* cut */
  check_length("\xe2\x82z", 3, 0);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(take_their_columns_in_every_locale),
    cmocka_unit_test(leave_the_locale_as_it_is),
    cmocka_unit_test(count_controls_and_unassigned_ones_as_none),
    cmocka_unit_test(have_their_length_in_utf8),
    cmocka_unit_test(are_no_characters),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
