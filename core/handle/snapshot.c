#include "handle/snapshot.h"

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

/* The kernel's two files, one behind the other. */
static char *read_counters(int ns) {
  char *snmp = NULL, *netstat = NULL, *both = NULL;
  ssize_t first = namespace_read_file(ns, "/proc/thread-self/net/snmp", &snmp);
  ssize_t second = namespace_read_file(ns, "/proc/thread-self/net/netstat", &netstat);
  if (first >= 0 && second >= 0) both = malloc((size_t)(first + second) + 1);
  if (both != NULL) {
    memcpy(both, snmp, (size_t)first);
    memcpy(both + first, netstat, (size_t)second);
    both[first + second] = '\0';
  }
  if (first >= 0) free(snmp);
  if (second >= 0) free(netstat);
  return both;
}

/* -- sockets ------------------------------------------------------------------------------- */

static void print_socket(FILE *out, const struct tcp_socket *s) {
  char local[ADDRESS_TEXT], peer[ADDRESS_TEXT] = "-";
  if (s->peer.length != 0) address_format(&s->peer, peer);
  fprintf(out, "%s %s %s %u %u %d %u\n", tcp_state_name(s->state), address_format(&s->local, local),
          peer, s->receive_queue, s->send_queue, s->inode != 0, s->retransmits);
}

/* A line for each: state, local address, peer or "-", receive and send queue, owned, retransmits.
 */
static char *read_sockets(int ns) {
  struct sock_diag_filter all = {.states = SOCK_DIAG_STATES, .owned = -1};
  struct sock_diag_list found = {0};
  char *text = NULL;
  size_t size;
  FILE *out = sock_diag_read(ns, &all, &found) < 0 ? NULL : open_memstream(&text, &size);
  for (size_t i = 0; out != NULL && i < found.count; i++) print_socket(out, &found.sockets[i]);
  if (out != NULL) fclose(out);
  sock_diag_free(&found);
  return text;
}

/* -- the probe ----------------------------------------------------------------------------- */

static void take(snapshot *s) {
  trace_append_text(s->trace, &s->about, EVENT_COUNTERS, read_counters(s->ns));
  trace_append_text(s->trace, &s->about, EVENT_SOCKETS, read_sockets(s->ns));
}

static void ask(struct trace_probe *p, bool is_noteworthy) {
  if (is_noteworthy) take((snapshot *)p);
}

int snapshot_open(loop *lp, int ns, uint16_t host, const char *name, snapshot **out) {
  snapshot *s = calloc(1, sizeof *s);
  if (s == NULL) return UV_ENOMEM;
  s->trace = loop_trace(lp);
  s->ns = ns;
  s->about.host = host;
  s->about.label = trace_label(s->trace, name);
  s->probe.ask = ask;
  trace_probe_open(s->trace, &s->probe);
  if (trace_is_probing(s->trace)) take(s);
  *out = s;
  return 0;
}

void snapshot_close(snapshot *s) {
  if (trace_is_probing(s->trace)) take(s);
  trace_probe_close(&s->probe);
  free(s);
}
