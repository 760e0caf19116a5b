#include "platform/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/link.h"
#include "platform/namespace.h"
#include "platform/packet.h"
#include "platform/socket.h"

/* The ring holds FRAMES packets that wait for the reader, one a frame. The kernel's header and the
 * sender's address take the first 80 bytes of a frame. */
enum {
  FRAMES = 8192,
  FRAME_BYTES = 256,
  BLOCK_BYTES = 65536, /* one allocation in the kernel */
  RING_BYTES = FRAMES * FRAME_BYTES,
};

struct tap {
  int fd;
  uint8_t *ring; /* NULL: none yet */
  uint32_t next; /* the frame to read next */
  uint64_t dropped;
};

/* -- reading ------------------------------------------------------------------------------- */

/* All taps have the same offset, until somebody sets the clock: if each measured its own, a segment
 * could arrive before it left. */
static struct clock_offset tap_offset(void) {
  enum { GOOD_NS = 500, TRIES = 3 };
  static struct clock_offset kept = {.error_ns = CLOCK_ERROR_UNKNOWN};
  int tries = 0;
  do kept = clock_choose_offset(kept, clock_measure_offset());
  while (++tries < TRIES && kept.error_ns > GOOD_NS);
  return kept;
}

/* Returns false if the packet is not TCP, or too short. */
static bool tap_read_frame(const uint8_t *frame, int64_t offset_ns, struct segment *s) {
  struct tpacket2_hdr header;
  struct sockaddr_ll from;
  memcpy(&header, frame, sizeof header);
  memcpy(&from, frame + TPACKET_ALIGN(sizeof header), sizeof from);
  size_t size = header.tp_snaplen < SEGMENT_BYTES ? header.tp_snaplen : SEGMENT_BYTES;
  *s = (struct segment){.is_outgoing = from.sll_pkttype == PACKET_OUTGOING,
                        .at_loopback = from.sll_ifindex == LINK_LOOPBACK,
                        .captured = (uint8_t)size};
  struct timespec wall = {.tv_sec = header.tp_sec, .tv_nsec = header.tp_nsec};
  s->at_ns = (uint64_t)(clock_ns(wall) + offset_ns);
  memcpy(s->packet, frame + header.tp_net, size);
  return segment_read(s->packet, size, ntohs(from.sll_protocol), s);
}

/* The kernel sets the status last. The reader returns the frame by setting it back. */
static _Atomic uint32_t *tap_status_of(uint8_t *frame) {
  _Static_assert(offsetof(struct tpacket2_hdr, tp_status) == 0, "the status comes first");
  return (_Atomic uint32_t *)(void *)frame;
}

int tap_read(tap *t, int most, tap_take take, void *owner, uint64_t *error_ns) {
  struct clock_offset offset = tap_offset();
  *error_ns = offset.error_ns;
  for (int count = 0; count < most; count++) {
    uint8_t *frame = t->ring + (size_t)t->next * FRAME_BYTES;
    struct segment s;
    if (!(atomic_load_explicit(tap_status_of(frame), memory_order_acquire) & TP_STATUS_USER))
      return count;
    bool is_tcp = tap_read_frame(frame, offset.ns, &s);
    atomic_store_explicit(tap_status_of(frame), TP_STATUS_KERNEL, memory_order_release);
    t->next = (t->next + 1) % FRAMES;
    if (is_tcp) take(owner, &s);
  }
  return most;
}

uint64_t tap_dropped(tap *t) {
  t->dropped += packet_dropped(t->fd);
  return t->dropped;
}

/* -- opening ------------------------------------------------------------------------------- */

/* Lets the first bytes of TCP packets through. The packet begins at its IP header here. A segment
 * that a rule loses goes to the loopback (link_divert_lost), and does not arrive there. */
static int tap_filter(int fd) {
  enum { IP_PROTOCOL = 9, IP6_NEXT = 6 };
  static struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_MARK)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LINK_LOST, 0, 2),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 8),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 2),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IP_PROTOCOL),
    BPF_JUMP(BPF_JMP | BPF_JA, 2, 0, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 3),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IP6_NEXT),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SEGMENT_BYTES),
    BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  int result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
  return result == -1 ? -errno : 0;
}

static int tap_map_ring(tap *t) {
  struct tpacket_req ring = {.tp_block_size = BLOCK_BYTES,
                             .tp_block_nr = RING_BYTES / BLOCK_BYTES,
                             .tp_frame_size = FRAME_BYTES,
                             .tp_frame_nr = FRAMES};
  int result = socket_set(t->fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
  if (result < 0) return result;
  if (setsockopt(t->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) == -1) return -errno;
  void *map = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
  if (map == MAP_FAILED) return -errno;
  t->ring = map;
  /* A mapping keeps the socket's namespace. That of a child would outlive the tap. */
  return madvise(map, RING_BYTES, MADV_DONTFORK) == -1 ? -errno : 0;
}

static void tap_end(tap *t) {
  if (t->ring != NULL) munmap(t->ring, RING_BYTES);
  if (t->fd >= 0) close(t->fd);
  free(t);
}

int tap_open(int ns, tap **out) {
  tap *t = calloc(1, sizeof *t);
  if (t == NULL) return -ENOMEM;
  t->fd = namespace_socket(ns, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  int result = t->fd < 0 ? t->fd : tap_filter(t->fd);
  if (result == 0) result = tap_map_ring(t);
  if (result == 0) result = packet_start(t->fd, ns);
  if (result == 0)
    *out = t;
  else
    tap_end(t);
  return result;
}

int tap_fd(const tap *t) { return t->fd; }

static void *tap_end_in_thread(void *t) {
  tap_end(t);
  return NULL;
}

/* Ends each tap in a thread of its own, so that all wait at the same time. The thread blocks all
 * signals: lunet's first thread handles them. */
void tap_close(tap *t) {
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool is_begun = pthread_create(&thread, NULL, tap_end_in_thread, t) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (is_begun)
    pthread_detach(thread);
  else
    tap_end(t);
}
