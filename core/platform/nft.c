#include "platform/nft.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/namespace.h"

enum { COMPLAINT = 256, LAST_ERRNO = 133 };

struct nft {
  int ns;
  pid_t child; /* 0: it has ended */
  int fd;      /* to it */
  int errors;  /* a file with what it prints when it ends by itself */
  char *output;
};

/* The words that pass: commands one way, the result and a text the other. */
struct head {
  int32_t result; /* of a reply: 0 if the commands were carried out */
  uint32_t length;
};

/* -- the library --------------------------------------------------------------------------- */

/* Facts about the process, not about a Lua state: so static. */
static char complaint[COMPLAINT];
static bool is_loaded;
static struct library {
  struct nft_ctx *(*ctx_new)(uint32_t flags);
  int (*ctx_buffer_output)(struct nft_ctx *nft);
  int (*ctx_buffer_error)(struct nft_ctx *nft);
  const char *(*ctx_get_output_buffer)(struct nft_ctx *nft);
  const char *(*ctx_get_error_buffer)(struct nft_ctx *nft);
  int (*run_cmd_from_buffer)(struct nft_ctx *nft, const char *commands);
} library;

#define SYMBOL(name)                                                                               \
  { "nft_" #name, offsetof(struct library, name) }
static const struct {
  const char *name;
  size_t offset;
} symbols[] = {
  SYMBOL(ctx_new),
  SYMBOL(ctx_buffer_output),
  SYMBOL(ctx_buffer_error),
  SYMBOL(ctx_get_output_buffer),
  SYMBOL(ctx_get_error_buffer),
  SYMBOL(run_cmd_from_buffer),
};

/* A command takes milliseconds, but once in some thousand the library waits for an answer of the
 * kernel's that never comes. Nothing else of lunet goes on meanwhile. */
enum { LONGEST_S = 5 };

/* Whether the library is missing or none that fits. The loader has words for what else fails, for
 * want of memory or descriptors, and no errno. */
static bool is_missing(const char *words) {
  static const char *const signs[] = {"No such file or directory", "undefined symbol", "too short",
                                      "ELF"};
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
    if (strstr(words, signs[i]) != NULL) return true;
  return false;
}

static int load_failed(void *opened) {
  snprintf(complaint, sizeof complaint, "%s", dlerror());
  if (opened != NULL) dlclose(opened);
  return is_missing(complaint) ? -ENOPKG : -ELIBACC;
}

/* Opened once, for good, and in this process: its children have it then. */
static int load(void) {
  if (is_loaded) return 0;
  void *opened = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
  if (opened == NULL) return load_failed(NULL);
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *symbol = dlsym(opened, symbols[i].name);
    if (symbol == NULL) return load_failed(opened);
    memcpy((char *)&library + symbols[i].offset, &symbol, sizeof symbol);
  }
  is_loaded = true;
  return 0;
}

const char *nft_complaint(void) { return complaint; }

/* -- what passes between the two ----------------------------------------------------------- */

static bool write_all(int fd, const void *data, size_t length) {
  for (const char *at = data; length > 0;) {
    ssize_t written = send(fd, at, length, MSG_NOSIGNAL);
    if (written == -1 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    length -= (size_t)written;
  }
  return true;
}

static bool read_all(int fd, void *data, size_t length) {
  for (char *at = data; length > 0;) {
    ssize_t got = recv(fd, at, length, MSG_WAITALL);
    if (got == -1 && errno == EINTR) continue;
    if (got == 0) errno = 0;
    if (got <= 0) return false;
    at += got;
    length -= (size_t)got;
  }
  return true;
}

static bool write_text(int fd, int result, const char *text) {
  struct head h = {result, (uint32_t)strlen(text)};
  return write_all(fd, &h, sizeof h) && write_all(fd, text, h.length);
}

/* The text is malloc'ed. */
static bool read_text(int fd, int *result, char **text) {
  struct head h;
  *text = NULL;
  if (!read_all(fd, &h, sizeof h)) return false;
  *text = malloc((size_t)h.length + 1);
  if (*text == NULL || !read_all(fd, *text, h.length)) return false;
  (*text)[h.length] = '\0';
  *result = h.result;
  return true;
}

/* -- the child ----------------------------------------------------------------------------- */

/* Of this process it keeps nothing open but its own end, and what the library prints. */
static void leave_parent(pid_t parent, int fd, int errors) {
  sigset_t all;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_FAILURE); /* it died before that */
  setsid();                                     /* Ctrl-C is for lunet, which ends this process */
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  dup2(fd, STDIN_FILENO);
  dup2(errors, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0u, 0);
}

static _Noreturn void serve(void) {
  char *commands;
  int unused;
  struct nft_ctx *context = library.ctx_new(NFT_CTX_DEFAULT);
  if (context == NULL) _exit(EXIT_FAILURE);
  library.ctx_buffer_output(context);
  library.ctx_buffer_error(context);
  write_text(STDIN_FILENO, 0, "");
  while (read_text(STDIN_FILENO, &unused, &commands)) {
    int result = library.run_cmd_from_buffer(context, commands);
    free(commands);
    write_text(STDIN_FILENO, result,
               result == 0 ? library.ctx_get_output_buffer(context)
                           : library.ctx_get_error_buffer(context));
  }
  _exit(EXIT_SUCCESS);
}

/* -- its end ------------------------------------------------------------------------------- */

/* The library tells only in words what went wrong, the kernel's error among them. */
static int error_in(const char *words) {
  for (int number = 1; number <= LAST_ERRNO; number++) {
    const char *description = strerrordesc_np(number);
    if (description != NULL && strstr(words, description) != NULL) return -number;
  }
  return strstr(words, "Memory allocation failure") != NULL ? -ENOMEM : -EIO;
}

/* The first line: later ones tell what follows from it. */
static int complain(const char *words) {
  static const char prefix[] = "Error: ";
  if (strncmp(words, prefix, sizeof prefix - 1) == 0) words += sizeof prefix - 1;
  snprintf(complaint, sizeof complaint, "%.*s", (int)strcspn(words, "\n"), words);
  return error_in(complaint);
}

static void end_child(nft *n) {
  if (n->child == 0) return;
  close(n->fd); /* it ends when it reads that, unless it has ended by itself */
  kill(n->child, SIGKILL);
  while (waitpid(n->child, NULL, 0) == -1 && errno == EINTR) continue;
  n->child = 0;
}

/* What the library printed when it ended itself says more than that the socket to it is closed. */
static int ended_by_itself(nft *n) {
  char words[COMPLAINT] = "";
  int error = errno;
  end_child(n);
  if (error == EAGAIN) {
    snprintf(complaint, sizeof complaint, "libnftables gave no answer within %d s", LONGEST_S);
    return -ETIMEDOUT;
  }
  ssize_t length = pread(n->errors, words, sizeof words - 1, 0);
  words[length > 0 ? length : 0] = '\0';
  bool is_closed = error == 0 || error == EPIPE || error == ECONNRESET;
  if (words[0] == '\0' && !is_closed) return -error; /* this process has no memory, say */
  error = complain(words[0] == '\0' ? "libnftables ended without a word" : words);
  if (ftruncate(n->errors, 0) == -1) complaint[0] = '\0';
  return error;
}

/* -- commands ------------------------------------------------------------------------------ */

static int fork_child(nft *n, int fd) {
  pid_t parent = getpid();
  int result = namespace_enter(n->ns);
  if (result < 0) return result;
  n->child = fork();
  if (n->child == 0) {
    leave_parent(parent, fd, n->errors);
    serve();
  }
  result = n->child == -1 ? -errno : 0;
  namespace_leave();
  if (result < 0) n->child = 0;
  return result;
}

/* Returns when the child has let go of this process's descriptors. */
static int start(nft *n) {
  int pair[2], unused;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) return -errno;
  n->fd = pair[0];
  struct timeval longest = {.tv_sec = LONGEST_S};
  setsockopt(n->fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  int result = fork_child(n, pair[1]);
  close(pair[1]);
  if (result < 0) {
    close(pair[0]);
    return result;
  }
  free(n->output);
  return read_text(n->fd, &unused, &n->output) ? 0 : ended_by_itself(n);
}

int nft_run(nft *n, const char *commands, const char **output) {
  int result = 0;
  complaint[0] = '\0';
  if (n->child == 0) result = start(n);
  if (result < 0) return result;
  free(n->output);
  n->output = NULL;
  if (!write_text(n->fd, 0, commands) || !read_text(n->fd, &result, &n->output))
    return ended_by_itself(n);
  if (result != 0) return complain(n->output);
  if (output != NULL) *output = n->output;
  return 0;
}

int nft_open(int ns, nft **out) {
  complaint[0] = '\0';
  int result = load();
  if (result < 0) return result;
  nft *n = calloc(1, sizeof *n);
  if (n == NULL) return -ENOMEM;
  n->ns = ns;
  n->errors = memfd_create("nft", MFD_CLOEXEC);
  result = n->errors == -1 ? -errno : start(n);
  if (result < 0)
    nft_close(n);
  else
    *out = n;
  return result;
}

void nft_close(nft *n) {
  end_child(n);
  if (n->errors != -1) close(n->errors);
  free(n->output);
  free(n);
}
