#include "handle/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/namespace_file.h"
#include "platform/sock_diag.h"

struct snapshot {
  struct trace_probe probe; /* first: ask gets this */
  trace *trace;
  int ns;
  struct trace_socket about; /* the host */
};

/* -- counters ------------------------------------------------------------------------------ */

/* Writes the kernel's two files one after the other. */
static int snapshot_join(const char *snmp, size_t first, const char *netstat, size_t second,
                         char **out) {
  char *both = malloc(first + second + 1);
  if (both == NULL) return -ENOMEM;
  memcpy(both, snmp, first);
  memcpy(both + first, netstat, second);
  both[first + second] = '\0';
  *out = both;
  return 0;
}

static int snapshot_read_counters(int ns, char **out) {
  char *snmp = NULL, *netstat = NULL;
  ssize_t first = namespace_read_file(ns, "/proc/thread-self/net/snmp", &snmp);
  if (first < 0) return (int)first;
  ssize_t second = namespace_read_file(ns, "/proc/thread-self/net/netstat", &netstat);
  int result =
    second < 0 ? (int)second : snapshot_join(snmp, (size_t)first, netstat, (size_t)second, out);
  free(snmp);
  if (second >= 0) free(netstat);
  return result;
}

/* -- sockets ------------------------------------------------------------------------------- */

static void snapshot_print_socket(FILE *out, const struct tcp_socket *s) {
  char local_text[ADDRESS_TEXT], peer_text[ADDRESS_TEXT] = "-";
  address local = address_plain(&s->local), peer = address_plain(&s->peer);
  if (s->peer.length != 0) address_format(&peer, peer_text);
  fprintf(out, "%s %s %s %u %u %d %u\n", tcp_state_name(s->state),
          address_format(&local, local_text), peer_text, s->receive_queue, s->send_queue,
          s->inode != 0, s->retransmits);
}

/* Prints a line for each socket: state, local address, peer or "-", receive and send queue, owned,
 * retransmits.
 */
static int snapshot_print_sockets(const struct sock_diag_list *found, char **text) {
  size_t size;
  FILE *out = open_memstream(text, &size);
  if (out == NULL) return -ENOMEM;
  for (size_t i = 0; i < found->count; i++) snapshot_print_socket(out, &found->sockets[i]);
  return fclose(out) == 0 ? 0 : -ENOMEM;
}

static int snapshot_read_sockets(int ns, char **text) {
  struct sock_diag_filter all = {.states = SOCK_DIAG_STATES, .owned = -1};
  struct sock_diag_list found = {0};
  int result = sock_diag_read(ns, &all, &found);
  if (result >= 0) result = snapshot_print_sockets(&found, text);
  sock_diag_free(&found);
  return result;
}

/* -- the probe ----------------------------------------------------------------------------- */

/* Records a look that fails, too: with its error instead of a text. */
static void snapshot_look(snapshot *s, enum event_kind kind, int (*read)(int ns, char **text)) {
  char *text = NULL;
  int result = read(s->ns, &text);
  if (result < 0) {
    free(text);
    trace_append(s->trace, &s->about, kind, 0, result);
  } else {
    trace_append_text(s->trace, &s->about, kind, text);
  }
}

static void snapshot_take(snapshot *s) {
  snapshot_look(s, EVENT_COUNTERS, snapshot_read_counters);
  snapshot_look(s, EVENT_SOCKETS, snapshot_read_sockets);
}

static void snapshot_ask(struct trace_probe *p, bool is_noteworthy) {
  if (is_noteworthy) snapshot_take((snapshot *)p);
}

int snapshot_open(loop *lp, int ns, uint16_t host, const char *name, snapshot **out) {
  snapshot *s = calloc(1, sizeof *s);
  if (s == NULL) return -ENOMEM;
  s->trace = loop_trace(lp);
  s->ns = ns;
  s->about.host = host;
  s->about.label = trace_label(s->trace, name);
  s->probe.ask = snapshot_ask;
  trace_probe_open(s->trace, &s->probe);
  if (trace_is_probing(s->trace)) snapshot_take(s);
  *out = s;
  return 0;
}

void snapshot_close(snapshot *s) {
  if (trace_is_probing(s->trace)) snapshot_take(s);
  trace_probe_close(&s->probe);
  free(s);
}
