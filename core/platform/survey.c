#include "platform/survey.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "platform/sock_diag.h"

/* include/net/tcp_states.h */
enum { ESTABLISHED = 1, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT = 8 };

enum {
  CONNECTIONS = 1 << ESTABLISHED | 1 << SYN_SENT | 1 << SYN_RECV | 1 << FIN_WAIT1 | 1 << FIN_WAIT2 |
                1 << CLOSE_WAIT
};

/* A connection of a client, and where its other end would be in this namespace. */
struct waiting {
  struct survey_client client;
  uint64_t server_end;
};

struct taking {
  struct survey *survey;
  size_t listener_room;
  uint64_t *queued; /* the ends of queued connections */
  size_t queued_count, queued_room;
  struct waiting *waiting;
  size_t waiting_count, waiting_room;
};

/* Makes room for one more item. Returns it, or NULL. */
static void *survey_add(void *items, size_t *count, size_t *room, size_t size) {
  void **list = items;
  if (*count == *room) {
    size_t longer = *room == 0 ? 16 : 2 * *room;
    void *moved = reallocarray(*list, longer, size);
    if (moved == NULL) return NULL;
    *list = moved;
    *room = longer;
  }
  return (char *)*list + size * (*count)++;
}

/* -- listeners ----------------------------------------------------------------------------- */

static int survey_compare_addresses(const address *a, const address *b) {
  int difference = address_family(a) - address_family(b);
  if (difference == 0) difference = address_port(a) - address_port(b);
  if (difference == 0) difference = address_is_any(b) - address_is_any(a);
  if (difference != 0) return difference;
  return memcmp(address_bytes(a), address_bytes(b), (size_t)address_bits(a) / 8);
}

static int survey_compare_listeners(const void *a, const void *b) {
  const struct survey_listener *x = a, *y = b;
  int difference = survey_compare_addresses(&x->local, &y->local);
  return difference != 0 ? difference : (x->inode > y->inode) - (x->inode < y->inode);
}

static int survey_add_listener(void *context, const struct tcp_socket *s) {
  struct taking *t = context;
  struct survey_listener *l =
    survey_add(&t->survey->listeners, &t->survey->listener_count, &t->listener_room, sizeof *l);
  if (l == NULL) return -ENOMEM;
  *l = (struct survey_listener){.local = s->local,
                                .inode = s->inode,
                                .uid = s->uid,
                                .depth = s->receive_queue,
                                .limit = s->send_queue,
                                .drops = s->drops,
                                .is_mptcp = s->is_mptcp};
  return 0;
}

static bool survey_is_at(const address *a, int family, int port) {
  return address_family(a) == family && address_port(a) == port;
}

static bool survey_shares_queue(const address *first, const address *next) {
  if (!survey_is_at(next, address_family(first), address_port(first))) return false;
  return address_is_any(first) || address_shares(first, next, address_bits(first));
}

/* The sorted listeners have a wildcard before the others at its port. */
static int survey_divide(struct survey *s) {
  if (s->listener_count > 1)
    qsort(s->listeners, s->listener_count, sizeof *s->listeners, survey_compare_listeners);
  s->queues = calloc(s->listener_count + 1, sizeof *s->queues);
  if (s->queues == NULL) return -ENOMEM;
  for (size_t i = 0; i < s->listener_count; i++) {
    struct survey_queue *last = s->queue_count == 0 ? NULL : &s->queues[s->queue_count - 1];
    if (last == NULL ||
        !survey_shares_queue(&s->listeners[last->first].local, &s->listeners[i].local)) {
      last = &s->queues[s->queue_count++];
      last->first = i;
    }
    last->count++;
  }
  return 0;
}

static int survey_look_again(void *context, const struct tcp_socket *s) {
  struct taking *t = context;
  const struct survey_listener wanted = {.local = s->local, .inode = s->inode};
  struct survey_listener *l = bsearch(&wanted, t->survey->listeners, t->survey->listener_count,
                                      sizeof *l, survey_compare_listeners);
  if (l == NULL) return 0;
  l->is_there_later = true;
  l->later = s->receive_queue;
  return 0;
}

/* -- connections --------------------------------------------------------------------------- */

/* The queue that a SYN to this address comes to, or NULL. */
static struct survey_queue *survey_find_queue(const struct survey *s, const address *local) {
  int family = address_family(local), port = address_port(local);
  size_t low = 0, high = s->queue_count;
  while (low < high) { /* the first queue that is not before that port */
    size_t middle = (low + high) / 2;
    const address *at = &s->listeners[s->queues[middle].first].local;
    int difference = address_family(at) - family;
    if (difference == 0) difference = address_port(at) - port;
    if (difference < 0)
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < s->queue_count; low++) {
    const address *at = &s->listeners[s->queues[low].first].local;
    if (!survey_is_at(at, family, port)) break;
    if (survey_shares_queue(at, local)) return &s->queues[low];
  }
  return NULL;
}

/* FNV-1a */
static uint64_t survey_hash(uint64_t hash, const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
  return hash;
}

/* A number for a pair of ends, the same for IPv4 ends on an IPv6 socket. */
static uint64_t survey_hash_ends(const address *one, const address *other) {
  uint64_t hash = 0xcbf29ce484222325u;
  const address *const ends[] = {one, other};
  for (int i = 0; i < 2; i++) {
    address plain = address_plain(ends[i]);
    int port = address_port(&plain);
    hash = survey_hash(hash, address_bytes(&plain), (size_t)address_bits(&plain) / 8);
    hash = survey_hash(hash, &port, sizeof port);
  }
  return hash;
}

static const struct tcp_info *survey_info(const struct tcp_socket *s) {
  bool is_whole = s->info.length >= (int)(offsetof(struct tcp_info, tcpi_bytes_retrans) +
                                          sizeof((struct tcp_info *)0)->tcpi_bytes_retrans);
  return is_whole ? (const void *)s->info.words : NULL;
}

static int survey_count_queued(struct taking *t, struct survey_queue *queue,
                               const struct tcp_socket *s) {
  const struct tcp_info *info = survey_info(s);
  bool has_left = s->state == CLOSE_WAIT;
  uint64_t *end = survey_add(&t->queued, &t->queued_count, &t->queued_room, sizeof *end);
  if (end == NULL) return -ENOMEM;
  *end = survey_hash_ends(&s->local, &s->peer);
  queue->listed++;
  queue->left += has_left;
  queue->hidden += s->is_mptcp && s->mptcp_token == 0;
  queue->bytes += s->receive_queue - (has_left && s->receive_queue > 0);
  if (info != NULL && info->tcpi_last_data_recv > queue->oldest_ms)
    queue->oldest_ms = info->tcpi_last_data_recv;
  queue->digest += survey_hash(0xcbf29ce484222325u, &s->cookie, sizeof s->cookie);
  return 0;
}

static bool survey_is_unanswered(const struct tcp_info *info) {
  if (info->tcpi_bytes_sent == 0) return false;
  return info->tcpi_bytes_received == 0 || info->tcpi_last_data_sent < info->tcpi_last_data_recv;
}

static int survey_count_client(struct taking *t, const struct tcp_socket *s) {
  const struct tcp_info *info = s->state == SYN_SENT ? NULL : survey_info(s);
  if (s->state != SYN_SENT && (info == NULL || !survey_is_unanswered(info))) return 0;
  struct waiting *w = survey_add(&t->waiting, &t->waiting_count, &t->waiting_room, sizeof *w);
  if (w == NULL) return -ENOMEM;
  *w = (struct waiting){.client = {.peer = address_plain(&s->peer), .inode = s->inode}};
  if (info == NULL) {
    w->client.connecting = 1;
    return 0;
  }
  w->server_end = survey_hash_ends(&s->peer, &s->local);
  w->client.waiting = 1;
  w->client.bytes = info->tcpi_bytes_received > 0
                      ? s->send_queue
                      : info->tcpi_bytes_sent - info->tcpi_bytes_retrans;
  w->client.oldest_ms = info->tcpi_last_data_sent;
  return 0;
}

/* Only a connection of a fast open is in SYN_RECV and has TCP_INFO: it is in the queue. */
static int survey_count(void *context, const struct tcp_socket *s) {
  struct taking *t = context;
  struct survey_queue *queue = survey_find_queue(t->survey, &s->local);
  if (queue == NULL) return s->inode == 0 ? 0 : survey_count_client(t, s);
  bool is_handshake = s->state == SYN_RECV && s->info.length == 0;
  bool is_open = s->state == ESTABLISHED || s->state == CLOSE_WAIT || s->state == SYN_RECV;
  queue->half_open += is_handshake;
  return is_open && !is_handshake && s->inode == 0 ? survey_count_queued(t, queue, s) : 0;
}

/* -- clients ------------------------------------------------------------------------------- */

static int survey_compare_ends(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static int survey_compare_waiting(const void *a, const void *b) {
  const struct waiting *x = a, *y = b;
  return survey_compare_addresses(&x->client.peer, &y->client.peer);
}

static void survey_join_client(struct survey_client *sum, const struct survey_client *one) {
  bool is_older = one->oldest_ms > sum->oldest_ms || sum->inode == 0;
  sum->connecting += one->connecting;
  sum->waiting += one->waiting;
  sum->queued += one->queued;
  sum->bytes += one->bytes;
  if (!is_older) return;
  sum->oldest_ms = one->oldest_ms;
  sum->inode = one->inode;
}

static int survey_join_clients(struct taking *t) {
  struct survey *s = t->survey;
  s->clients = calloc(t->waiting_count + 1, sizeof *s->clients);
  if (s->clients == NULL) return -ENOMEM;
  if (t->queued_count > 1)
    qsort(t->queued, t->queued_count, sizeof *t->queued, survey_compare_ends);
  if (t->waiting_count > 1)
    qsort(t->waiting, t->waiting_count, sizeof *t->waiting, survey_compare_waiting);
  for (size_t i = 0; i < t->waiting_count; i++) {
    struct waiting *w = &t->waiting[i];
    w->client.queued =
      t->queued_count > 0 && bsearch(&w->server_end, t->queued, t->queued_count, sizeof *t->queued,
                                     survey_compare_ends) != NULL;
    if (i == 0 || survey_compare_waiting(w - 1, w) != 0)
      s->clients[s->client_count++] = (struct survey_client){.peer = w->client.peer};
    survey_join_client(&s->clients[s->client_count - 1], &w->client);
  }
  return 0;
}

/* -- all of it ----------------------------------------------------------------------------- */

int survey_take(int ns, struct survey *out) {
  static const struct sock_diag_filter listening = {.states = 1u << TCP_STATE_LISTEN, .owned = -1},
                                       connected = {
                                         .states = CONNECTIONS, .owned = -1, .wants_info = true};
  struct taking t = {.survey = out};
  memset(out, 0, sizeof *out);
  int result = sock_diag_walk(ns, &listening, survey_add_listener, &t);
  if (result == 0) result = survey_divide(out);
  if (result == 0) result = sock_diag_walk(ns, &connected, survey_count, &t);
  if (result == 0) result = sock_diag_walk(ns, &listening, survey_look_again, &t);
  if (result == 0) result = survey_join_clients(&t);
  free(t.queued);
  free(t.waiting);
  return result;
}
