/* getsockopt(TCP_INFO), and a table of its fields. */
#ifndef LUNET_PLATFORM_TCP_INFO_H
#define LUNET_PLATFORM_TCP_INFO_H

#include <stddef.h>
#include <stdint.h>

struct tcp_info;

enum { TCP_STATE_CLOSE = 7, TCP_STATE_LISTEN = 10 }; /* include/net/tcp_states.h */

/* The states after the peer's FIN, as bits: TIME_WAIT, CLOSE_WAIT, LAST_ACK and CLOSING. */
enum { TCP_STATES_AFTER_FIN = 1 << 6 | 1 << 8 | 1 << 9 | 1 << 11 };

/* Returns the number of bytes of the structure that this kernel knows, or a negative errno
 * (-EOPNOTSUPP unless TCP). */
int tcp_info_read(int fd, struct tcp_info *out);

const char *tcp_state_name(uint8_t state); /* "ESTABLISHED", "CLOSE_WAIT", ... */

/* The structure as plain memory: no file can include both <linux/tcp.h> and libuv's
 * <netinet/tcp.h>. */
struct tcp_info_memory {
  uint64_t words[64];
  int length; /* the bytes that this kernel filled in */
};

int tcp_info_copy(int fd, struct tcp_info_memory *out); /* 0 or a negative errno */

struct tcp_info_field {
  const char *name; /* the kernel's, with its prefix: "tcpi_rtt" */
  uint16_t offset;
  uint8_t size;        /* bytes: 1, 4 or 8 */
  uint8_t shift, bits; /* within a byte; 0 bits: the whole byte */
};

extern const struct tcp_info_field tcp_info_fields[]; /* ends with a NULL name */

uint64_t tcp_info_value(const struct tcp_info_memory *info, const struct tcp_info_field *field);

#endif
