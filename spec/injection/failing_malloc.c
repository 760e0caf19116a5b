/* A library to preload: lets one allocation of lunet fail, the FAIL_ALLOCATION-th; 0: none, but
 * tells at the end how many there were. Programs that lunet starts are left alone. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long count;
static long failing = -1;
static pid_t process;

static void *(*real_malloc)(size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_calloc)(size_t, size_t);

static void tell(void) {
  if (getpid() == process) fprintf(stderr, "%ld allocations\n", (long)count);
}

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("FAIL_ALLOCATION");
  failing = text == NULL ? -1 : atol(text);
  process = getpid();
  unsetenv("LD_PRELOAD");
  if (failing == 0) atexit(tell);
}

static bool fails(void) {
  if (failing < 0 || getpid() != process || ++count != failing) return false;
  errno = ENOMEM;
  return true;
}

void *malloc(size_t size) {
  if (real_malloc == NULL) real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
  return fails() ? NULL : real_malloc(size);
}

void *realloc(void *block, size_t size) {
  if (real_realloc == NULL) real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
  return fails() ? NULL : real_realloc(block, size);
}

/* dlsym allocates by calloc before it is found. */
void *calloc(size_t number, size_t size) {
  static char early[4096];
  static size_t used;
  if (real_calloc == NULL) {
    static bool is_looking;
    if (is_looking) return used += number * size, early + used - number * size;
    is_looking = true;
    real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    is_looking = false;
  }
  return fails() ? NULL : real_calloc(number, size);
}
