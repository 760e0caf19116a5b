/* Packet sockets: the frames of a namespace's interfaces, as they are. A frame is read and sent
 * with the kernel's notes on it (virtio_net_hdr): a checksum that is yet to be filled in, or up to
 * 64 KiB that are yet to be cut into segments, pass as between the two ends of one veth pair. */
#ifndef LUNET_PLATFORM_PACKET_H
#define LUNET_PLATFORM_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What comes before the frame in the same memory, and the longest frame: an IP packet of 64 KiB
 * behind an Ethernet header. */
enum { PACKET_NOTES = 10, PACKET_LONGEST = PACKET_NOTES + 14 + 65535 };

/* A socket that sees every frame which comes in on any interface of the namespace (and none that it
 * sends itself). A descriptor, non-blocking, or a negative errno. */
int packet_open(int ns);
void packet_close(int fd);

/* For any packet socket that was made with protocol 0, which has seen nothing until it had its
 * options: from now on it sees the namespace's interfaces, with stamps. 0 or a negative errno. */
int packet_start(int fd, int ns);

/* Lets an interface take frames for any address. Its index, or a negative errno. */
int packet_admit(int fd, const char *interface);

struct packet {
  void *notes_and_frame;
  size_t length;
  int interface;       /* index of the one that it came in on */
  uint64_t arrived_ns; /* when the kernel got it, on clock_now_ns() */
};

/* Reads one into p->notes_and_frame, which has room for PACKET_LONGEST bytes. 0 or a negative
 * errno: -EAGAIN if there is none, -EMSGSIZE or -EINVAL for one that cannot be passed on. */
int packet_receive(int fd, struct packet *p);

/* 0 or a negative errno: then the frame is lost. */
int packet_send(int fd, int interface, const void *notes_and_frame, size_t length);

/* How many frames the kernel has dropped since it was last asked: the socket's buffer was full. */
uint32_t packet_dropped(int fd);

/* Whether the frame resolves an address: ARP, or IPv6 neighbour solicitation or advertisement. */
bool packet_resolves_address(const void *notes_and_frame, size_t length);

#endif
