#include "handle/ends.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct end6 {
  uint8_t bytes[16];
  uint32_t scope; /* a link-local address's interface number */
  uint32_t number;
};

static const uint32_t lost = UINT32_MAX; /* the number of an address without room */

static int ends_compare(const void *a, const void *b) {
  return memcmp(a, b, offsetof(struct end6, number));
}

static bool ends_grow(struct ends *all) {
  if (all->count < all->room) return true;
  uint32_t room = all->room == 0 ? 16 : 2 * all->room;
  struct end6 **larger =
    all->count == ENDS_MOST ? NULL : reallocarray(all->list, room, sizeof(struct end6 *));
  if (larger == NULL) return false;
  all->list = larger;
  all->room = room;
  return true;
}

static uint32_t ends_add(struct ends *all, const struct end6 *wanted) {
  struct end6 *new = ends_grow(all) ? malloc(sizeof *new) : NULL;
  if (new == NULL) return lost;
  *new = *wanted;
  new->number = all->count;
  if (tsearch(new, &all->tree, ends_compare) == NULL) {
    free(new);
    return lost;
  }
  all->list[all->count++] = new;
  return new->number;
}

static uint32_t ends_number(struct ends *all, const address *a) {
  struct end6 wanted = {.scope = a->as.in6.sin6_scope_id};
  memcpy(wanted.bytes, address_bytes(a), sizeof wanted.bytes);
  struct end6 *const *known = tfind(&wanted, &all->tree, ends_compare);
  return known != NULL ? (*known)->number : ends_add(all, &wanted);
}

void ends_put(struct ends *all, struct trace_end *e, const address *a) {
  int family = address_family(a);
  *e = (struct trace_end){.family = 0};
  if (family != AF_INET && family != AF_INET6) return;
  e->family = (uint8_t)family;
  e->port = (uint16_t)address_port(a);
  if (family == AF_INET)
    memcpy(&e->address, address_bytes(a), sizeof e->address);
  else
    e->address = ends_number(all, a);
}

bool ends_get(const struct ends *all, const struct trace_end *e, address *out) {
  bool is_ipv6 = e->family == AF_INET6;
  memset(out, 0, sizeof *out);
  if (e->family == 0 || (is_ipv6 && e->address == lost)) return false;
  const struct end6 *known = is_ipv6 ? all->list[e->address] : NULL;
  *out = address_of_bytes(e->family, is_ipv6 ? (const void *)known->bytes : &e->address, e->port);
  if (is_ipv6) out->as.in6.sin6_scope_id = known->scope;
  return true;
}

void ends_free(struct ends *all) {
  tdestroy(all->tree, free);
  free(all->list);
  *all = (struct ends){.tree = NULL};
}
