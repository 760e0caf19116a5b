/* The held bytes of a connection, against a model that is plain memory. */
#include "handle/held.h"

#include <malloc.h>
#include <string.h>

#include "check.h"

enum { MOST = 1 << 16, STEPS = 20000 };

static held h;
static char model[2 * MOST];
static size_t model_length;
static unsigned char next_byte;

static void check_same(void) {
  assert_true(held_length(&h) == model_length);
  assert_true(model_length == 0 || memcmp(held_data(&h), model, model_length) == 0);
}

static void append(size_t length) {
  char data[4096];
  for (size_t i = 0; i < length; i++) data[i] = (char)next_byte++;
  assert_true(held_append(&h, data, length) == 0);
  memcpy(model + model_length, data, length);
  model_length += length;
  check_same();
}

/* As a receive does it: room first, then as much of it as came. */
static void reserve(size_t room_for, size_t length) {
  char *room = held_reserve(&h, room_for);
  assert_true(room != NULL);
  for (size_t i = 0; i < length; i++) model[model_length + i] = room[i] = (char)next_byte++;
  held_filled(&h, length);
  model_length += length;
  check_same();
}

static void take(size_t length) {
  const char *data;
  void *taken = held_take(&h, length, &data);
  assert_true(taken != NULL);
  assert_true(length == 0 || memcmp(data, model, length) == 0);
  free(taken);
  memmove(model, model + length, model_length - length);
  model_length -= length;
  check_same();
}

static void check_line(void) {
  const char *newline = memchr(model, '\n', model_length);
  assert_true(held_line(&h) == (newline == NULL ? 0 : (size_t)(newline - model) + 1));
}

TEST(hold_and_take_at_random) {
  srand(1);
  for (int i = 0; i < STEPS; i++) {
    size_t length = 1 + (size_t)rand() % 4095;
    size_t bound = model_length + 1;
    if (model_length + 4096 < MOST && i % 3 == 0) append(length);
    if (model_length + 4096 < MOST && i % 3 == 1) reserve(4096, length);
    if (i % 3 == 2) take((size_t)rand() % bound);
    if (i % 50 == 0) take(model_length);
    check_line();
  }
  take(model_length);
}

TEST(start_from_nothing) {
  assert_true(held_length(&h) == 0 && held_line(&h) == 0);
  take(0);
  append(1);
  take(0);
  take(1);
  assert_true(h.memory == NULL); /* nothing held costs no memory */
  take(0);
}

TEST(find_lines) {
  const char *line;
  assert_true(held_append(&h, "a\n\nlast", 7) == 0);
  assert_true(held_line(&h) == 2);
  free(held_take(&h, 2, &line));
  assert_true(held_line(&h) == 1);
  free(held_take(&h, 1, &line));
  assert_true(held_line(&h) == 0 && held_length(&h) == 4);
  assert_true(held_append(&h, "\0\n", 2) == 0);
  assert_true(held_line(&h) == 6);
  held_free(&h);
  held_free(&h);
  assert_true(held_length(&h) == 0 && h.memory == NULL);
}

/* Bytes that were taken from the front do not pile up. */
TEST(keep_little_memory) {
  append(4096);
  for (int i = 0; i < 10000; i++) {
    append(64);
    take(64);
  }
  assert_true(malloc_usable_size(h.memory) <= 16384);
  take(4096);
}

static int release(void **state) {
  (void)state;
  held_free(&h);
  return 0;
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(start_from_nothing),
    cmocka_unit_test(find_lines),
    cmocka_unit_test(hold_and_take_at_random),
    cmocka_unit_test(keep_little_memory),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, release);
}
