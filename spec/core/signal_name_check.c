/* The names of all signals, both ways. */
#include "platform/signal_name.h"

#include <signal.h>
#include <string.h>

#include "check.h"

TEST(lead_back_to_every_number) {
  char text[SIGNAL_TEXT];
  for (int number = 1; number <= signal_last(); number++)
    assert_int_equal(signal_number(signal_name(number, text)), number);
}

TEST(name_signals_as_the_manual_does) {
  char text[SIGNAL_TEXT];
  assert_string_equal(signal_name(SIGTERM, text), "SIGTERM");
  assert_string_equal(signal_name(SIGIO, text), "SIGPOLL"); /* two names of one number */
  assert_string_equal(signal_name(SIGRTMIN, text), "SIGRTMIN+0");
  assert_string_equal(signal_name(SIGRTMAX, text), "SIGRTMIN+30");
  assert_string_equal(signal_name(SIGRTMIN - 1, text), "signal 33");
}

TEST(know_no_other_signal) {
  char text[SIGNAL_TEXT];
  assert_int_equal(signal_number("SIGRTMIN+3"), SIGRTMIN + 3);
  assert_int_equal(signal_number(signal_name(SIGRTMAX + 1, text)), 0);
  assert_int_equal(signal_number("TERM"), 0);
  assert_int_equal(signal_number(""), 0);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lead_back_to_every_number),
    cmocka_unit_test(name_signals_as_the_manual_does),
    cmocka_unit_test(know_no_other_signal),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
