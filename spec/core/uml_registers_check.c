/* The registers that user-mode Linux gives back, which may be less than the processor has. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "uml_registers.c"

enum {
  FEWEST = 512 + 64
}; /* bytes of any processor's XSAVE area: the oldest registers, and the header */

static pid_t start_traced(void) {
  pid_t pid = fork();
  if (pid == 0) {
    syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    for (;;) pause();
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFSTOPPED(status));
  return pid;
}

static void end(pid_t pid) {
  assert_int_equal(kill(pid, SIGKILL), 0);
  assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* By the system call, past the function that is tested. */
static long ask(int request, pid_t pid, struct iovec *area) {
  return syscall(SYS_ptrace, request, pid, (void *)NT_X86_XSTATE, area);
}

TEST(take_a_part_for_the_whole) {
  static char first[MOST], before[MOST], after[MOST];
  pid_t pid = start_traced();
  struct iovec all = {before, sizeof before}, part = {first, FEWEST}, again = {after, sizeof after};
  if (ask(PTRACE_GETREGSET, pid, &all) == -1) { /* no processor of x86 */
    end(pid);
    skip();
  }
  if (all.iov_len > FEWEST) {
    assert_int_equal(ask(PTRACE_SETREGSET, pid, &part), -1);
    assert_int_equal(errno, EFAULT);
  }
  part.iov_len = FEWEST;
  assert_int_equal(ptrace(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &part), 0);
  first[160] ^= 1; /* the lowest byte of XMM0 */
  first[512] |= 2; /* SSE is in use */
  assert_int_equal(ptrace(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &part), 0);
  assert_int_equal(ask(PTRACE_GETREGSET, pid, &again), 0);
  assert_int_equal(again.iov_len, all.iov_len);
  assert_int_equal(after[160], first[160]);
  assert_memory_equal(after + FEWEST, before + FEWEST, all.iov_len - FEWEST);
  end(pid);
}

TEST(leave_other_requests_alone) {
  pid_t pid = start_traced();
  assert_int_equal(ptrace(PTRACE_CONT, pid, (void *)0, (void *)0), 0);
  assert_int_equal(ptrace(PTRACE_CONT, pid, (void *)0, (void *)0), -1); /* it runs */
  assert_int_equal(errno, ESRCH);
  end(pid);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(take_a_part_for_the_whole),
    cmocka_unit_test(leave_other_requests_alone),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
