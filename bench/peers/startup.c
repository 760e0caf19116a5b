/* startup.c COUNT PROGRAM [ARGUMENT...]: runs a program so many times; how long it takes from its
 * start to its end. */
#include <spawn.h>
#include <sys/wait.h>

#include "round.h"

extern char **environ;

int main(int argc, char **argv) {
  int count = argc > 2 ? integer_argument(argc, argv, 1) : 0, status;
  if (count == 0) return 2;
  uint64_t *took_ns = calloc((size_t)count, sizeof *took_ns);
  for (int i = 0; i < count; i++) {
    pid_t child;
    uint64_t started = now_ns();
    if (posix_spawnp(&child, argv[2], NULL, NULL, argv + 2, environ) != 0) return 1;
    if (waitpid(child, &status, 0) != child || status != 0) return 1;
    took_ns[i] = now_ns() - started;
  }
  qsort(took_ns, (size_t)count, sizeof *took_ns, compare_ns);
  printf("{\"median_us\": %.1f, \"least_us\": %.1f}\n", quantile_us(took_ns, count, 0.5),
         (double)took_ns[0] / 1e3);
}
