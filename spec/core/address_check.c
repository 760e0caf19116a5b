/* Addresses as text and back. */
#include "platform/address.h"

#include <errno.h>
#include <string.h>

#include "check.h"

#define PATH_107                                                                                   \
  "/2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"      \
  "012345678901234567"

static const struct {
  const char *text;
  int family, port;
  const char *formatted; /* NULL: the same */
} good[] = {
  {"127.0.0.1:80", AF_INET, 80, NULL},
  {"0.0.0.0:0", AF_INET, 0, NULL},
  {"255.255.255.255:65535", AF_INET, 65535, NULL},
  {"127.0.0.1:00080", AF_INET, 80, "127.0.0.1:80"},
  {"[::1]:80", AF_INET6, 80, NULL},
  {"[::]:0", AF_INET6, 0, NULL},
  {"[0:0:0:0:0:0:0:1]:1", AF_INET6, 1, "[::1]:1"},
  {"[FE80::1]:1", AF_INET6, 1, "[fe80::1]:1"},
  {"[::ffff:127.0.0.1]:65535", AF_INET6, 65535, NULL},
  {"[fe80::1%eth0]:80", AF_INET6, 80, NULL},
  {"[fe80::1%fifteen-letters]:80", AF_INET6, 80, NULL},
  {"[fe80::1%2]:80", AF_INET6, 80, NULL},
  {"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:1", AF_INET6, 1,
   "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1"},
  {"unix:/run/x", AF_UNIX, 0, NULL},
  {"unix:relative", AF_UNIX, 0, NULL},
  {"unix:/with:colon", AF_UNIX, 0, NULL},
  {"unix:@abstract", AF_UNIX, 0, NULL},
  {"unix:" PATH_107, AF_UNIX, 0, NULL},
  {NULL, 0, 0, NULL},
};

static const char *const bad[] = {
  "",
  ":",
  ":80",
  "127.0.0.1",
  "127.0.0.1:",
  "127.0.0.1:-1",
  "127.0.0.1:+1",
  "127.0.0.1: 80",
  "127.0.0.1:80 ",
  "127.0.0.1:8o",
  "127.0.0.1:65536",
  "127.0.0.1:000080",
  "127.0.0.1:99999999999999999999",
  "127.0.0.1:80:80",
  "127.0.0:80",
  "127.1:80",
  "127.0.0.01x:80",
  "256.0.0.1:80",
  " 127.0.0.1:80",
  "localhost:80",
  "::1:80",
  "::1",
  "[::1]",
  "[::1]:",
  "[::1:80",
  "::1]:80",
  "[]:80",
  "[127.0.0.1]:80",
  "[:::1]:80",
  "[[::1]]:80",
  "[::1]x:80",
  "[g::1]:80",
  "[::1%]:80",
  "[::1%sixteen-letters!]:80",
  "unix:",
  "unix",
  "UNIX:/x:1",
  "/run/x",
  NULL,
};

TEST(parse_good) {
  char text[ADDRESS_TEXT];
  address a, again;
  for (int i = 0; good[i].text != NULL; i++) {
    const char *formatted = good[i].formatted == NULL ? good[i].text : good[i].formatted;
    assert_true(address_parse(good[i].text, &a) == 0);
    assert_true(address_family(&a) == good[i].family);
    assert_true(address_port(&a) == good[i].port);
    assert_true(strcmp(address_format(&a, text), formatted) == 0);
    assert_true(address_parse(text, &again) == 0);
    assert_true(again.length == a.length && memcmp(&again.as, &a.as, a.length) == 0);
  }
}

TEST(parse_bad) {
  address a;
  for (int i = 0; bad[i] != NULL; i++)
    if (address_parse(bad[i], &a) != -EINVAL) fail_msg("taken for an address: \"%s\"", bad[i]);
}

TEST(bound_unix_paths) {
  address a;
  assert_true(address_parse("unix:" PATH_107, &a) == 0);
  assert_true(address_parse("unix:" PATH_107 "x", &a) == -EINVAL);
}

/* No text makes it read or write where it should not; the sanitizers watch. */
TEST(parse_long) {
  static const char *const heads[] = {"", "[", "unix:", "unix:@", "127.0.0.1:", "[::1%", "[::1]:"};
  char text[1024];
  address a;
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    for (size_t length = strlen(heads[i]); length < sizeof text; length++) {
      memset(text, length % 2 == 0 ? '1' : ':', length);
      memcpy(text, heads[i], strlen(heads[i]));
      text[length] = '\0';
      address_parse(text, &a);
      address_make(text, 80, &a);
      if (length > 0) text[length - 1] = ']';
      address_parse(text, &a);
      address_make(text, 80, &a);
    }
}

TEST(make_from_parts) {
  char text[ADDRESS_TEXT];
  address a;
  assert_true(address_make("127.0.0.2", 8080, &a) == 0);
  assert_true(strcmp(address_format(&a, text), "127.0.0.2:8080") == 0);
  assert_true(address_make("::1", 1, &a) == 0);
  assert_true(strcmp(address_format(&a, text), "[::1]:1") == 0);
  assert_true(address_make("[::1]", 1, &a) == 0);
  assert_true(strcmp(address_format(&a, text), "[::1]:1") == 0);
  assert_true(address_make("fe80::1%lo", 1, &a) == 0 && strcmp(a.zone, "lo") == 0);
  assert_true(strcmp(address_format(&a, text), "[fe80::1%lo]:1") == 0);
  assert_true(address_make("127.0.0.1", 65536, &a) == -EINVAL);
  assert_true(address_make("127.0.0.1", -1, &a) == -EINVAL);
  assert_true(address_make("127.0.0.1:80", 80, &a) == -EINVAL);
  assert_true(address_make("[::1]:80", 80, &a) == -EINVAL);
  assert_true(address_make("", 80, &a) == -EINVAL);
}

TEST(name_unix_paths) {
  char text[ADDRESS_TEXT];
  address a;
  assert_true(address_parse("unix:/run/x", &a) == 0);
  assert_true(strcmp(address_path(&a), "/run/x") == 0);
  assert_true(address_parse("unix:@name", &a) == 0);
  assert_true(address_path(&a) == NULL); /* no file */
  assert_true(a.length == offsetof(struct sockaddr_un, sun_path) + 5);
  assert_true(address_parse("127.0.0.1:1", &a) == 0);
  assert_true(address_path(&a) == NULL);
  /* As the kernel returns them: an unnamed peer, and a path that fills sun_path to the end. */
  a = (address){.length = sizeof(sa_family_t), .as.un.sun_family = AF_UNIX};
  assert_true(strcmp(address_format(&a, text), "unix:") == 0);
  a.length = sizeof a.as.un;
  memset(a.as.un.sun_path, 'x', sizeof a.as.un.sun_path);
  assert_true(strlen(address_format(&a, text)) == 5 + sizeof a.as.un.sun_path);
}

TEST(reach_any_address) {
  static const char *const pairs[][2] = {
    {"0.0.0.0:7", "127.0.0.1:7"},   {"127.0.0.2:7", "127.0.0.2:7"}, {"[::]:7", "[::1]:7"},
    {"[fe80::1]:7", "[fe80::1]:7"}, {"unix:/run/x", "unix:/run/x"},
  };
  char text[ADDRESS_TEXT];
  address a;
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    assert_true(address_parse(pairs[i][0], &a) == 0);
    address_reachable(&a);
    assert_true(strcmp(address_format(&a, text), pairs[i][1]) == 0);
  }
}

TEST(know_the_empty_one) {
  char text[ADDRESS_TEXT];
  address a = {.length = 0};
  assert_true(address_family(&a) == AF_UNSPEC);
  assert_true(address_port(&a) == 0);
  assert_true(address_path(&a) == NULL);
  assert_true(strcmp(address_format(&a, text), "") == 0);
  address_reachable(&a);
  assert_true(a.length == 0);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(parse_good),        cmocka_unit_test(parse_bad),
    cmocka_unit_test(bound_unix_paths),  cmocka_unit_test(parse_long),
    cmocka_unit_test(make_from_parts),   cmocka_unit_test(name_unix_paths),
    cmocka_unit_test(reach_any_address), cmocka_unit_test(know_the_empty_one),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
