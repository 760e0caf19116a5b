#include "platform/packet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/namespace.h"
#include "platform/socket.h"
#include "platform/stamp.h"

_Static_assert(sizeof(struct virtio_net_hdr) == PACKET_NOTES, "linux/virtio_net.h");

/* The bytes that may wait for a read. Without privilege the kernel grants net.core.rmem_max. */
enum { BUFFER = 16 * 1024 * 1024 };

static int packet_set_buffer(int fd) {
  int result = socket_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER);
  return result < 0 ? socket_set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER) : result;
}

int packet_start(int fd, int ns) {
  struct sockaddr_ll everywhere = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  int result = stamp_enable(fd, ns);
  if (result < 0) return result;
  return bind(fd, (struct sockaddr *)&everywhere, sizeof everywhere) == -1 ? -errno : 0;
}

int packet_open(int ns) {
  int fd = namespace_socket(ns, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
  if (fd < 0) return fd;
  int result = socket_set(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
  if (result == 0) result = socket_set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  /* The queue of an interface drops frames until a worker of the kernel knows that it is up, and
   * says nothing (net/core/link_watch.c). */
  if (result == 0) result = socket_set(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
  if (result == 0) result = packet_set_buffer(fd);
  if (result == 0) result = packet_start(fd, ns);
  if (result == 0) return fd;
  close(fd);
  return result;
}

void packet_close(int fd) { close(fd); }

int packet_admit(int fd, const char *interface) {
  struct ifreq request = {.ifr_ifindex = 0};
  strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
  /* The kernel looks in the socket's namespace, not in that of the process. */
  if (ioctl(fd, SIOCGIFINDEX, &request) == -1) return -errno;
  struct packet_mreq every = {.mr_ifindex = request.ifr_ifindex, .mr_type = PACKET_MR_PROMISC};
  int result = setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &every, sizeof every);
  return result == -1 ? -errno : request.ifr_ifindex;
}

/* The kernel stamps a frame on arrival, but by the wall clock. This function reads the monotonic
 * clock last. The time between the two readings makes the frame younger, so that a wire never sends
 * it early. */
static uint64_t packet_to_monotonic(int64_t stamp_ns) {
  int64_t age_ns = clock_wall_now_ns() - stamp_ns;
  uint64_t now_ns = clock_now_ns();
  return age_ns > 0 && (uint64_t)age_ns < now_ns ? now_ns - (uint64_t)age_ns : now_ns;
}

int packet_receive(int fd, struct packet *p) {
  struct stamp stamp;
  ssize_t length = stamp_receive(fd, p->notes_and_frame, PACKET_LONGEST, &stamp);
  if (length < 0) return (int)length;
  if (stamp.is_cut) return -EMSGSIZE;
  p->length = (size_t)length;
  p->interface = stamp.from.sll_ifindex;
  p->arrived_ns = stamp.wall_ns == 0 ? clock_now_ns() : packet_to_monotonic(stamp.wall_ns);
  return 0;
}

int packet_send(int fd, int interface, const void *notes_and_frame, size_t length) {
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = interface};
  ssize_t sent = sendto(fd, notes_and_frame, length, 0, (struct sockaddr *)&to, sizeof to);
  return sent == -1 ? -errno : 0;
}

uint32_t packet_dropped(int fd) {
  struct tpacket_stats stats = {0, 0};
  socklen_t size = sizeof stats;
  getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size);
  return stats.tp_drops;
}
