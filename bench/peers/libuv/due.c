/* due.c COUNT: so many timers are due within one second; how late each fires, and how many fire
 * early. */
#include <math.h>
#include <uv.h>

#include "../round.h"

enum { LEAD_S = 4 }; /* how long before the first is due they are armed */

struct due {
  uv_timer_t timer;
  uint64_t at_ns;
};

static uint64_t *late_ns;
static int fired, early;

static void on_due(uv_timer_t *timer) {
  struct due *d = (struct due *)timer;
  uint64_t now = now_ns();
  if (now < d->at_ns) early++;
  late_ns[fired++] = now < d->at_ns ? 0 : now - d->at_ns;
}

int main(int argc, char **argv) {
  int count = integer_argument(argc, argv, 1);
  struct due *all = calloc((size_t)count, sizeof *all);
  late_ns = calloc((size_t)count, sizeof *late_ns);
  uint64_t base_ns = now_ns() + LEAD_S * UINT64_C(1000000000);
  for (int i = 0; i < count; i++) {
    /* 7919 and COUNT have no common divisor: all due times, out of order. */
    all[i].at_ns =
      base_ns + (uint64_t)((double)((uint64_t)i * 7919 % (uint64_t)count) * 1e9 / count);
    uv_timer_init(uv_default_loop(), &all[i].timer);
    uv_update_time(uv_default_loop());
    uv_timer_start(&all[i].timer, on_due, (uint64_t)ceil((double)(all[i].at_ns - now_ns()) / 1e6),
                   0);
  }
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  double sum = 0;
  for (int i = 0; i < fired; i++) sum += (double)late_ns[i];
  qsort(late_ns, (size_t)fired, sizeof *late_ns, compare_ns);
  printf("{\"late_us\": %.2f, \"late_p99_us\": %.2f, \"early\": %d}\n", sum / fired / 1e3,
         quantile_us(late_ns, fired, 0.99), early);
}
