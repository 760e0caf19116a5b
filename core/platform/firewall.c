#include "platform/firewall.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/namespace.h"

enum { COMPLAINT = 256, LAST_ERRNO = 133 };

struct firewall {
  struct nft_ctx *nft;
};

/* -- the library --------------------------------------------------------------------------- */

/* Facts about the process, not about a Lua state: so static. */
static char complaint[COMPLAINT];
static bool is_loaded;
static struct library {
  struct nft_ctx *(*ctx_new)(uint32_t flags);
  void (*ctx_free)(struct nft_ctx *nft);
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
  SYMBOL(ctx_free),
  SYMBOL(ctx_buffer_output),
  SYMBOL(ctx_buffer_error),
  SYMBOL(ctx_get_output_buffer),
  SYMBOL(ctx_get_error_buffer),
  SYMBOL(run_cmd_from_buffer),
};

static int load_failed(void *opened) {
  const char *text = dlerror();
  snprintf(complaint, sizeof complaint, "%s", text);
  if (opened != NULL) dlclose(opened);
  return -ENOPKG;
}

/* Opened once, for good. */
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

const char *firewall_complaint(void) { return complaint; }

/* -- commands ------------------------------------------------------------------------------ */

/* The library tells only in words what went wrong, the kernel's error among them. */
static int error_in(const char *words) {
  for (int number = 1; number <= LAST_ERRNO; number++) {
    const char *description = strerrordesc_np(number);
    if (description != NULL && strstr(words, description) != NULL) return -number;
  }
  return -EIO;
}

static int run(firewall *f, const char *commands) {
  static const char prefix[] = "Error: ";
  complaint[0] = '\0';
  if (library.run_cmd_from_buffer(f->nft, commands) == 0) return 0;
  const char *words = library.ctx_get_error_buffer(f->nft);
  if (strncmp(words, prefix, sizeof prefix - 1) == 0) words += sizeof prefix - 1;
  snprintf(complaint, sizeof complaint, "%.*s", (int)strcspn(words, "\n"), words);
  return error_in(complaint); /* later lines tell what follows from it */
}

__attribute__((format(printf, 2, 3))) static int run_formatted(firewall *f, const char *format,
                                                               ...) {
  char *commands;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&commands, format, arguments);
  va_end(arguments);
  if (length == -1) return -ENOMEM;
  int result = run(f, commands);
  free(commands);
  return result;
}

int firewall_add(firewall *f, const char *name, const char *content) {
  return run_formatted(f, "table inet %s {\n%s}\n", name, content);
}

int firewall_stop(firewall *f, const char *name) {
  return run_formatted(f, "flush chain inet %s judge\n", name);
}

int firewall_remove(firewall *f, const char *name) {
  return run_formatted(f, "delete table inet %s\n", name);
}

/* Of one chain: for a counter of its own, the library would ask the kernel about every rule. */
int firewall_count(firewall *f, const char *name, uint64_t *segments, uint64_t *bytes) {
  int result = run_formatted(f, "list chain inet %s lose\n", name);
  if (result < 0) return result;
  const char *counter = strstr(library.ctx_get_output_buffer(f->nft), "counter packets ");
  if (counter == NULL) return -EIO;
  if (sscanf(counter, "counter packets %" SCNu64 " bytes %" SCNu64, segments, bytes) != 2)
    return -EIO;
  return 0;
}

/* -- opening ------------------------------------------------------------------------------- */

/* The library ends the process if it can get no socket: so one is got, and given back, before. */
static int try_socket(int ns) {
  int fd = namespace_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  if (fd < 0) return fd;
  close(fd);
  return 0;
}

static int new_context(int ns, struct nft_ctx **out) {
  int result = namespace_enter(ns);
  if (result < 0) return result;
  *out = library.ctx_new(NFT_CTX_DEFAULT);
  namespace_leave();
  return *out == NULL ? -ENOMEM : 0;
}

int firewall_open(int ns, firewall **out) {
  complaint[0] = '\0';
  if (ns == -1) ns = namespace_own_home();
  int result = ns < 0 ? ns : try_socket(ns);
  if (result == 0) result = load();
  if (result < 0) return result;
  firewall *f = calloc(1, sizeof *f);
  if (f == NULL) return -ENOMEM;
  result = new_context(ns, &f->nft);
  if (result < 0) {
    free(f);
    return result;
  }
  library.ctx_buffer_output(f->nft);
  library.ctx_buffer_error(f->nft);
  *out = f;
  return 0;
}

void firewall_close(firewall *f) {
  library.ctx_free(f->nft);
  free(f);
}
