#include "platform/nft.h"

#include <dlfcn.h>
#include <errno.h>
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
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/namespace.h"

enum { COMPLAINT = 256, LAST_ERRNO = 133 };

struct nft {
  int ns;
  pid_t child; /* 0: it has ended */
  int fd;      /* lunet's end of the socket to the child */
  int errors;  /* a file that gets the child's last words when it ends by itself */
  char *output;
};

/* -- the library --------------------------------------------------------------------------- */

/* Static, because the library belongs to the process and not to a Lua state. */
static struct library {
  bool is_loaded;
  char complaint[COMPLAINT]; /* about the last failure */
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

/* A command takes milliseconds, but once in thousands the library waits for an answer that
 * the kernel never gives. Nothing else of lunet runs meanwhile. */
enum { LONGEST_S = 5 };

/* Whether the library is missing or does not fit. The loader sets no errno: its words alone tell
 * this from a lack of memory or descriptors. */
static bool nft_is_missing(const char *words) {
  static const char *const signs[] = {"No such file or directory", "undefined symbol", "too short",
                                      "ELF"};
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
    if (strstr(words, signs[i]) != NULL) return true;
  return false;
}

static int nft_load_failed(void *opened) {
  snprintf(library.complaint, sizeof library.complaint, "%s", dlerror());
  if (opened != NULL) dlclose(opened);
  return nft_is_missing(library.complaint) ? -ENOPKG : -ELIBACC;
}

/* Loads the library once, for good, in this process: its children inherit it. */
static int nft_load(void) {
  if (library.is_loaded) return 0;
  void *opened = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
  if (opened == NULL) return nft_load_failed(NULL);
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *symbol = dlsym(opened, symbols[i].name);
    if (symbol == NULL) return nft_load_failed(opened);
    memcpy((char *)&library + symbols[i].offset, &symbol, sizeof symbol);
  }
  library.is_loaded = true;
  return 0;
}

const char *nft_complaint(void) { return library.complaint; }

/* -- the packets --------------------------------------------------------------------------- */

/* Commands to the child and replies from it: one packet each, with a result and a text. */
static bool nft_write(int fd, int result, const char *text) {
  struct iovec parts[] = {{&result, sizeof result}, {(char *)text, strlen(text) + 1}};
  struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
  return TEMP_FAILURE_RETRY(sendmsg(fd, &packet, MSG_NOSIGNAL)) != -1;
}

/* The text is malloc'ed. False with an errno of 0: the other side has closed its end. */
static bool nft_read(int fd, int *result, char **text) {
  ssize_t length = TEMP_FAILURE_RETRY(recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC));
  *text = NULL;
  if (length == 0) errno = 0;
  if (length <= 0) return false;
  size_t size = (size_t)length - sizeof *result;
  *text = malloc(size);
  struct iovec parts[] = {{result, sizeof *result}, {*text, size}};
  struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
  return *text != NULL && recvmsg(fd, &packet, 0) == length;
}

/* -- the child ----------------------------------------------------------------------------- */

/* Keeps only the child's end of the socket open, and the file that gets the library's words. */
static void nft_leave_parent(pid_t parent, int fd, int errors) {
  sigset_t all;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_FAILURE); /* it died before prctl(2) */
  setsid(); /* Ctrl-C is for lunet, and lunet ends this process */
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  dup2(fd, STDIN_FILENO);
  dup2(errors, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0u, 0);
}

static _Noreturn void nft_serve(void) {
  char *commands;
  int unused;
  struct nft_ctx *context = library.ctx_new(NFT_CTX_DEFAULT);
  if (context == NULL) _exit(EXIT_FAILURE);
  library.ctx_buffer_output(context);
  library.ctx_buffer_error(context);
  bool is_heard = nft_write(STDIN_FILENO, 0, "");
  while (is_heard && nft_read(STDIN_FILENO, &unused, &commands)) {
    int result = library.run_cmd_from_buffer(context, commands);
    free(commands);
    is_heard = nft_write(STDIN_FILENO, result,
                         result == 0 ? library.ctx_get_output_buffer(context)
                                     : library.ctx_get_error_buffer(context));
  }
  _exit(EXIT_SUCCESS);
}

/* -- the end of the child
 * ------------------------------------------------------------------------------- */

/* Finds the kernel's error in the words of the library, which reports nothing else. */
static int nft_error_in(const char *words) {
  for (int number = 1; number <= LAST_ERRNO; number++) {
    const char *description = strerrordesc_np(number);
    if (description != NULL && strstr(words, description) != NULL) return -number;
  }
  return strstr(words, "Memory allocation failure") != NULL ? -ENOMEM : -EIO;
}

/* Keeps the first line: later ones only follow from it. */
static int nft_complain(const char *words) {
  static const char prefix[] = "Error: ";
  if (strncmp(words, prefix, sizeof prefix - 1) == 0) words += sizeof prefix - 1;
  snprintf(library.complaint, COMPLAINT, "%.*s", (int)strcspn(words, "\n"), words);
  return nft_error_in(library.complaint);
}

static void nft_end_child(nft *n) {
  if (n->child == 0) return;
  close(n->fd); /* the child ends when it notices */
  kill(n->child, SIGKILL);
  TEMP_FAILURE_RETRY(waitpid(n->child, NULL, 0));
  n->child = 0;
}

/* The last words of the library say more than the error of its closed socket. */
static int nft_ended_by_itself(nft *n) {
  char words[COMPLAINT] = "";
  int error = errno;
  nft_end_child(n);
  if (error == EAGAIN) {
    snprintf(library.complaint, COMPLAINT, "libnftables gave no answer within %d s", LONGEST_S);
    return -ETIMEDOUT;
  }
  ssize_t length = pread(n->errors, words, sizeof words - 1, 0);
  words[length > 0 ? length : 0] = '\0';
  bool is_closed = error == 0 || error == EPIPE || error == ECONNRESET;
  if (words[0] == '\0' && !is_closed) return -error; /* such as ENOMEM in this process */
  error = nft_complain(words[0] == '\0' ? "libnftables ended without a word" : words);
  if (ftruncate(n->errors, 0) == -1) library.complaint[0] = '\0';
  return error;
}

/* -- commands ------------------------------------------------------------------------------ */

static int nft_fork_child(nft *n, int fd) {
  pid_t parent = getpid();
  int result = namespace_enter(n->ns);
  if (result < 0) return result;
  n->child = fork();
  if (n->child == 0) {
    nft_leave_parent(parent, fd, n->errors);
    nft_serve();
  }
  result = n->child == -1 ? -errno : 0;
  namespace_leave();
  if (result < 0) n->child = 0;
  return result;
}

/* Returns once the child has closed this process's descriptors. */
static int nft_start(nft *n) {
  int pair[2], unused;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return -errno;
  n->fd = pair[0];
  struct timeval longest = {.tv_sec = LONGEST_S};
  setsockopt(n->fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  int result = nft_fork_child(n, pair[1]);
  close(pair[1]);
  if (result < 0) {
    close(pair[0]);
    return result;
  }
  free(n->output);
  return nft_read(n->fd, &unused, &n->output) ? 0 : nft_ended_by_itself(n);
}

int nft_run(nft *n, const char *commands, const char **output) {
  int result = 0;
  library.complaint[0] = '\0';
  if (n->child == 0) result = nft_start(n);
  if (result < 0) return result;
  free(n->output);
  n->output = NULL;
  if (!nft_write(n->fd, 0, commands) || !nft_read(n->fd, &result, &n->output))
    return nft_ended_by_itself(n);
  if (result != 0) return nft_complain(n->output);
  if (output != NULL) *output = n->output;
  return 0;
}

int nft_open(int ns, nft **out) {
  library.complaint[0] = '\0';
  int result = nft_load();
  if (result < 0) return result;
  nft *n = calloc(1, sizeof *n);
  if (n == NULL) return -ENOMEM;
  n->ns = ns;
  n->errors = memfd_create("nft", MFD_CLOEXEC);
  result = n->errors == -1 ? -errno : nft_start(n);
  if (result < 0)
    nft_close(n);
  else
    *out = n;
  return result;
}

void nft_close(nft *n) {
  nft_end_child(n);
  if (n->errors != -1) close(n->errors);
  free(n->output);
  free(n);
}
