/* A tree is gone when file_remove_tree says so, even if another process removes a part of it. */
#include "platform/file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { DIRECTORIES = 200, ROUNDS = 20 };

static void make_tree(const char *outer, const char *inner) {
  char path[PATH_MAX];
  assert_int_equal(file_make_directories(inner), 0);
  for (int i = 0; i < DIRECTORIES; i++) {
    snprintf(path, sizeof path, "%s/%d", inner, i);
    assert_int_equal(mkdir(path, 0700), 0);
  }
  snprintf(path, sizeof path, "%s/last", outer);
  assert_int_equal(mkdir(path, 0700), 0);
}

static bool is_there(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 || errno != ENOENT;
}

TEST(remove_a_tree_of_which_another_process_removes_a_part) {
  char outer[] = "/tmp/lunet-file-check-XXXXXX", inner[sizeof outer + 8];
  assert_non_null(mkdtemp(outer));
  snprintf(inner, sizeof inner, "%s/inner", outer);
  for (int round = 0; round < ROUNDS; round++) {
    make_tree(outer, inner);
    pid_t other = fork();
    assert_true(other != -1);
    if (other == 0) {
      file_remove_tree(inner);
      _exit(0);
    }
    int result = file_remove_tree(outer);
    bool was_left = is_there(outer);
    assert_int_equal(waitpid(other, NULL, 0), other);
    assert_int_equal(file_remove_tree(outer), 0);
    assert_false(result == 0 && was_left);
  }
}

TEST(remove_what_is_not_there) {
  assert_int_equal(file_remove_tree("/tmp/lunet-file-check-nothing/at/all"), 0);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(remove_a_tree_of_which_another_process_removes_a_part),
    cmocka_unit_test(remove_what_is_not_there),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
