#include "handle/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handle/deadline.h"
#include "handle/snapshot.h"
#include "platform/firewall.h"
#include "platform/link.h"
#include "platform/namespace.h"
#include "platform/socket.h"

struct host {
  handle handle;
  loop *lp;
  int ns; /* -1: closed */
  uint16_t number;
  struct nl_sock *routes;
  firewall *firewall; /* NULL until it is needed */
  snapshot *snapshot; /* NULL if there was no memory for it */
  char *name;
};

static void close_handle(handle *h) { host_close((host *)h); }

static void describe(const handle *h, char *text, size_t size) {
  snprintf(text, size, "%s", ((const host *)h)->name);
}

static const struct handle_type host_type = {"host", close_handle, close_handle, describe};

static int open_parts(host *h) {
  h->ns = namespace_open();
  if (h->ns < 0) return h->ns;
  int result = link_open(h->ns, &h->routes);
  if (result < 0) namespace_close(h->ns);
  return result;
}

int host_open(loop *lp, scope *s, const char *name, host **out) {
  host *h = calloc(1, sizeof *h);
  if (h == NULL) return UV_ENOMEM;
  h->name = strdup(name);
  int result = h->name == NULL ? UV_ENOMEM : open_parts(h);
  if (result < 0) {
    free(h->name);
    free(h);
    return result;
  }
  deadlines_stay_awake(loop_deadlines(lp)); /* whether and where the process moves is settled */
  h->lp = lp;
  h->number = loop_next_host(lp);
  handle_open(&h->handle, &host_type, &(struct place){.scope = s}); /* a host is on no host */
  snapshot_open(lp, h->ns, h->number, name, &h->snapshot);
  *out = h;
  return 0;
}

bool host_is_open(const host *h) { return h->ns != -1; }

void host_close(host *h) {
  if (!host_is_open(h)) return;
  handle_close(&h->handle);
  if (h->snapshot != NULL) snapshot_close(h->snapshot); /* with what is about to be reset */
  h->snapshot = NULL;
  handle_abort_all(h->lp, h->number);
  link_close(h->routes);
  if (h->firewall != NULL) firewall_close(h->firewall);
  h->firewall = NULL;
  namespace_close(h->ns);
  h->ns = -1;
}

void host_free(host *h) {
  host_close(h);
  free(h->name);
  free(h);
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

int host_socket(const host *h, int family) {
  if (h == NULL) return socket_open(family);
  return namespace_socket(h->ns, family, SOCK_STREAM | SOCK_NONBLOCK, 0);
}
