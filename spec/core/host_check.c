/* The numbers of hosts: 0 is home, so none may come round to it. */
#include "handle/host.h"

#include <errno.h>

#include "check.h"

int main(void) {
  loop *lp;
  host *h = NULL;
  CHECK(loop_open(&lp) == 0);
  for (int number = 1; number <= HOSTS_MOST; number++) CHECK(loop_next_host(lp) == number);
  for (int again = 0; again < 2; again++) {
    CHECK(loop_next_host(lp) == -EOVERFLOW);
    CHECK(host_open(lp, loop_scope(lp), "one too many", &h) == -EOVERFLOW && h == NULL);
  }
  loop_close(lp);
  return 0;
}
