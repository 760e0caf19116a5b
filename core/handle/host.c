#include "handle/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handle/deadline.h"
#include "handle/snapshot.h"
#include "platform/link.h"
#include "platform/namespace.h"
#include "platform/namespace_file.h"
#include "platform/socket.h"

struct host {
  handle handle;
  loop *lp;
  int ns;
  uint16_t number;
  struct nl_sock *routes;
  firewall *firewall; /* NULL before its first use */
  snapshot *snapshot; /* NULL if there was no memory */
  char *name;
};

static int host_close(handle *closed) {
  host *h = (host *)closed;
  if (h->snapshot != NULL) snapshot_close(h->snapshot); /* while the connections are still there */
  handle_abort_all(loop_scopes(h->lp), h->number);
  link_close(h->routes);
  if (h->firewall != NULL) firewall_close(h->firewall);
  namespace_close(h->ns);
  return 0;
}

static void host_free(handle *h) { free(((host *)h)->name); }

static void host_describe(const handle *h, char *text, size_t size) {
  snprintf(text, size, "%s", ((const host *)h)->name);
}

static const struct handle_type host_type = {"host", host_close, NULL, host_free, host_describe};

/* The kernel gives each link an IPv6 address, and first looks for others that have it. That takes a
 * second or two (RFC 4862, 5.4). Until then a router asks for no neighbour, and what it should
 * forward waits. Here no two links have one address. A machine that refuses the setting has these
 * seconds. */
static void host_detect_no_duplicates(const host *h) {
  static const char path[] = "/proc/sys/net/ipv6/conf/default/accept_dad";
  (void)namespace_write_file(h->ns, path, "0", 1);
}

static int host_open_parts(host *h) {
  h->ns = namespace_open();
  if (h->ns < 0) return h->ns;
  host_detect_no_duplicates(h);
  int result = link_open(h->ns, &h->routes);
  if (result < 0) namespace_close(h->ns);
  return result;
}

int host_open(loop *lp, scope *s, const char *name, host **out) {
  int number = loop_next_host(lp);
  if (number < 0) return number;
  host *h = calloc(1, sizeof *h);
  if (h == NULL) return -ENOMEM;
  h->name = strdup(name);
  int result = h->name == NULL ? -ENOMEM : host_open_parts(h);
  if (result < 0) {
    free(h->name);
    free(h);
    return result;
  }
  /* The process makes no user namespace any more, so it may start a thread. */
  deadlines_stay_awake(ops_deadlines(loop_ops(lp)));
  h->lp = lp;
  h->number = (uint16_t)number;
  handle_open(&h->handle, &host_type, &(struct place){.scope = s}); /* a host is on no host */
  snapshot_open(lp, h->ns, h->number, name, &h->snapshot);
  *out = h;
  return 0;
}

const char *host_name(const host *h) { return h == NULL ? NULL : h->name; }
uint16_t host_number(const host *h) { return h == NULL ? 0 : h->number; }
int host_namespace(const host *h) { return h->ns; }
struct nl_sock *host_routes(const host *h) {
  return h->routes;
}

int host_firewall(host *h, firewall **out) {
  int result = h->firewall == NULL ? firewall_open(h->ns, &h->firewall) : 0;
  *out = h->firewall;
  return result;
}

int host_socket(const host *h, int family, int protocol) {
  if (h == NULL) return socket_open(family, protocol);
  return namespace_socket(h->ns, family, SOCK_STREAM | SOCK_NONBLOCK, protocol);
}
