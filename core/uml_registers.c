/* uml-registers.so: lets user-mode Linux run on a processor with many registers.
 *
 * User-mode Linux keeps the registers of its guest's processes in 2696 bytes, which are enough up
 * to AVX-512 (arch/x86/um/user-offsets.c of 6.1, HOST_FP_SIZE). The machine's kernel takes only all
 * of a process's registers back (arch/x86/kernel/fpu/regset.c, xstateregs_set). A processor with
 * AMX has 11008 bytes of them, and there each guest panics: "Attempted to kill init". Linux 7.2
 * asks for the size.
 *
 * lunet starts the guest with this library before its C library (ld.so(8), LD_PRELOAD). It adds the
 * process's own registers to those that the guest gives back. */
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum { MOST = 64 * 1024 };

typedef long ptrace_function(int, pid_t, void *, void *);

/* Fills `whole` with the registers of the process, and lays the guest's over their beginning.
 * Returns whether that is more than the guest has. */
static int uml_registers_fill_up(ptrace_function *ptrace_of_libc, pid_t pid,
                                 const struct iovec *guests, struct iovec *whole) {
  if (ptrace_of_libc(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, whole) == -1) return 0;
  if (whole->iov_len <= guests->iov_len) return 0;
  memcpy(whole->iov_base, guests->iov_base, guests->iov_len);
  return 1;
}

/* As in ptrace(2), where it is variadic. */
__attribute__((visibility("default"))) long ptrace(enum __ptrace_request request, ...) {
  static ptrace_function *ptrace_of_libc;
  static _Thread_local _Alignas(64) char buffer[MOST];
  va_list list;
  va_start(list, request);
  pid_t pid = va_arg(list, pid_t);
  void *address = va_arg(list, void *);
  void *data = va_arg(list, void *);
  va_end(list);

  if (!ptrace_of_libc) *(void **)&ptrace_of_libc = dlsym(RTLD_NEXT, "ptrace");
  struct iovec whole = {buffer, sizeof buffer};
  int is_partial = request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE &&
                   uml_registers_fill_up(ptrace_of_libc, pid, data, &whole);
  return ptrace_of_libc(request, pid, address, is_partial ? &whole : data);
}
