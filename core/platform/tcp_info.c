#include "platform/tcp_info.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static int tcp_info_get(int fd, void *out, socklen_t size) {
  memset(out, 0, size);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, out, &size) == -1 ? -errno : (int)size;
}

int tcp_info_read(int fd, struct tcp_info *out) { return tcp_info_get(fd, out, sizeof *out); }

int tcp_info_copy(int fd, struct tcp_info_memory *out) {
  out->length = tcp_info_get(fd, out->words, sizeof out->words);
  return out->length < 0 ? out->length : 0;
}

const char *tcp_state_name(uint8_t state) {
  static const char *const names[] = {
    [1] = "ESTABLISHED", [2] = "SYN_SENT",  [3] = "SYN_RECV", [4] = "FIN_WAIT1",
    [5] = "FIN_WAIT2",   [6] = "TIME_WAIT", [7] = "CLOSE",    [8] = "CLOSE_WAIT",
    [9] = "LAST_ACK",    [10] = "LISTEN",   [11] = "CLOSING", [12] = "NEW_SYN_RECV",
  };
  const char *name = state < sizeof names / sizeof *names ? names[state] : NULL;
  return name != NULL ? name : "UNKNOWN";
}

#define FIELD(name)                                                                                \
  { #name, offsetof(struct tcp_info, name), sizeof((struct tcp_info *)0)->name, 0, 0 }

/* Bit-fields have no offset. These are in the two bytes behind tcpi_options, in little-endian
 * order. */
#define BITS(name, offset, shift, bits)                                                            \
  { #name, offset, 1, shift, bits }

const struct tcp_info_field tcp_info_fields[] = {
  FIELD(tcpi_state),
  FIELD(tcpi_ca_state),
  FIELD(tcpi_retransmits),
  FIELD(tcpi_probes),
  FIELD(tcpi_backoff),
  FIELD(tcpi_options),
  BITS(tcpi_snd_wscale, 6, 0, 4),
  BITS(tcpi_rcv_wscale, 6, 4, 4),
  BITS(tcpi_delivery_rate_app_limited, 7, 0, 1),
  BITS(tcpi_fastopen_client_fail, 7, 1, 2),
  FIELD(tcpi_rto),
  FIELD(tcpi_ato),
  FIELD(tcpi_snd_mss),
  FIELD(tcpi_rcv_mss),
  FIELD(tcpi_unacked),
  FIELD(tcpi_sacked),
  FIELD(tcpi_lost),
  FIELD(tcpi_retrans),
  FIELD(tcpi_fackets),
  FIELD(tcpi_last_data_sent),
  FIELD(tcpi_last_ack_sent),
  FIELD(tcpi_last_data_recv),
  FIELD(tcpi_last_ack_recv),
  FIELD(tcpi_pmtu),
  FIELD(tcpi_rcv_ssthresh),
  FIELD(tcpi_rtt),
  FIELD(tcpi_rttvar),
  FIELD(tcpi_snd_ssthresh),
  FIELD(tcpi_snd_cwnd),
  FIELD(tcpi_advmss),
  FIELD(tcpi_reordering),
  FIELD(tcpi_rcv_rtt),
  FIELD(tcpi_rcv_space),
  FIELD(tcpi_total_retrans),
  FIELD(tcpi_pacing_rate),
  FIELD(tcpi_max_pacing_rate),
  FIELD(tcpi_bytes_acked),
  FIELD(tcpi_bytes_received),
  FIELD(tcpi_segs_out),
  FIELD(tcpi_segs_in),
  FIELD(tcpi_notsent_bytes),
  FIELD(tcpi_min_rtt),
  FIELD(tcpi_data_segs_in),
  FIELD(tcpi_data_segs_out),
  FIELD(tcpi_delivery_rate),
  FIELD(tcpi_busy_time),
  FIELD(tcpi_rwnd_limited),
  FIELD(tcpi_sndbuf_limited),
  FIELD(tcpi_delivered),
  FIELD(tcpi_delivered_ce),
  FIELD(tcpi_bytes_sent),
  FIELD(tcpi_bytes_retrans),
  FIELD(tcpi_dsack_dups),
  FIELD(tcpi_reord_seen),
  FIELD(tcpi_rcv_ooopack),
  FIELD(tcpi_snd_wnd),
  {NULL, 0, 0, 0, 0},
};

uint64_t tcp_info_value(const struct tcp_info_memory *info, const struct tcp_info_field *field) {
  const char *at = (const char *)info->words + field->offset;
  uint64_t wide = 0;
  uint32_t word = 0;
  if (field->size == sizeof wide) return memcpy(&wide, at, sizeof wide), wide;
  if (field->size == sizeof word) return memcpy(&word, at, sizeof word), word;
  unsigned byte = (uint8_t)*at;
  return field->bits == 0 ? byte : (byte >> field->shift) & ((1u << field->bits) - 1);
}
