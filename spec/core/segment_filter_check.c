/* Filters of segments: ends, kinds, data, and how many of those that match. */
#include "handle/segment_filter.h"

#include <string.h>

#include "check.h"

static const uint8_t payload[] = "hello";

/* From 10.0.0.1:4000 to 10.0.0.2:80. */
static struct segment segment_of(uint8_t flags, uint32_t bytes) {
  return (struct segment){.from = {10, 0, 0, 1},
                          .to = {10, 0, 0, 2},
                          .from_port = 4000,
                          .to_port = 80,
                          .sequence = 7,
                          .flags = flags,
                          .bytes = bytes};
}

static struct segment_filter filter_of(unsigned kinds) {
  return (struct segment_filter){
    .ways = {true, true}, .from.bits = -1, .to.bits = -1, .kinds = kinds, .every = 1};
}

static bool takes(struct segment_filter f, struct segment s) {
  return segment_filter_takes(&f, 0, &s, payload);
}

TEST(tell_the_kinds_of_segments) {
  static const struct {
    uint8_t flags;
    uint32_t bytes;
    unsigned kinds;
  } rows[] = {
    {SEGMENT_SYN, 0, KIND_SYN},
    {SEGMENT_SYN, 5, KIND_SYN | KIND_DATA},
    {SEGMENT_SYN | SEGMENT_ACK, 0, KIND_SYN_ACK},
    {SEGMENT_ACK, 0, KIND_ACK},
    {SEGMENT_ACK | SEGMENT_PSH, 5, KIND_DATA},
    {SEGMENT_FIN | SEGMENT_ACK, 0, KIND_FIN},
    {SEGMENT_FIN | SEGMENT_ACK, 5, KIND_FIN | KIND_DATA},
    {SEGMENT_RST, 0, KIND_RST},
    {SEGMENT_RST | SEGMENT_ACK, 0, KIND_RST},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct segment s = segment_of(rows[i].flags, rows[i].bytes);
    assert_true(takes(filter_of(KIND_ANY), s));
    for (unsigned kind = KIND_SYN; kind <= KIND_ACK; kind *= 2)
      assert_int_equal(takes(filter_of(kind), s), (rows[i].kinds & kind) != 0);
  }
}

TEST(compare_both_ends_and_the_way) {
  struct segment s = segment_of(SEGMENT_ACK, 0);
  struct segment_filter f = filter_of(KIND_ANY);
  f.from.bits = address_parse_prefixed("10.0.0.0/24", &f.from.address);
  assert_true(takes(f, s));
  f.from.bits = address_parse_prefixed("10.0.0.2/32", &f.from.address);
  assert_false(takes(f, s));
  f = filter_of(KIND_ANY);
  f.to.bits = address_parse_prefixed("fd00::/8", &f.to.address);
  assert_false(takes(f, s));
  f = filter_of(KIND_ANY);
  f.port = 80;
  assert_true(takes(f, s));
  f.from_port = 80;
  assert_false(takes(f, s));
  f = filter_of(KIND_ANY);
  f.ways[0] = false;
  assert_false(takes(f, s));
}

TEST(compare_data_and_number) {
  struct segment s = segment_of(SEGMENT_ACK, 5);
  struct segment_filter f = filter_of(KIND_ANY);
  f.data = "ell";
  f.data_length = 3;
  assert_true(takes(f, s));
  f.data = "elk";
  assert_false(takes(f, s));
  f = filter_of(KIND_ANY);
  f.has_sequence = true;
  f.sequence = 7;
  assert_true(takes(f, s));
  f.sequence = 8;
  assert_false(takes(f, s));
}

/* Shows ten segments, and gives a text with a 1 for each that it takes. */
static const char *taken(uint64_t skip, uint64_t every, uint64_t first) {
  static char text[11];
  struct segment s = segment_of(SEGMENT_ACK, 0);
  struct segment_filter f = filter_of(KIND_ANY);
  f.skip = skip;
  f.every = every;
  f.first = first;
  for (int i = 0; i < 10; i++) text[i] = segment_filter_takes(&f, 1, &s, payload) ? '1' : '0';
  assert_int_equal(segment_filter_is_done(&f), first > 0 && f.taken == first);
  return text;
}

TEST(count_those_that_match) {
  assert_string_equal(taken(0, 1, 0), "1111111111");
  assert_string_equal(taken(2, 1, 0), "0011111111");
  assert_string_equal(taken(0, 3, 0), "1001001001");
  assert_string_equal(taken(2, 3, 2), "0010010000");
  assert_string_equal(taken(4, 1, 1), "0000100000");
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tell_the_kinds_of_segments),
    cmocka_unit_test(compare_both_ends_and_the_way),
    cmocka_unit_test(compare_data_and_number),
    cmocka_unit_test(count_those_that_match),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
