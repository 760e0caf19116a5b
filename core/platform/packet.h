/* Packet sockets: they receive and send the frames of a namespace's interfaces unchanged. The
 * kernel's notes on a frame (virtio_net_hdr) travel with it. So unfinished checksums, and up to 64
 * KiB not yet cut into segments, pass as they do between the two ends of a veth pair. */
#ifndef LUNET_PLATFORM_PACKET_H
#define LUNET_PLATFORM_PACKET_H

#include <stddef.h>
#include <stdint.h>

/* PACKET_NOTES bytes of notes come before the frame in the same memory. The longest frame is an IP
 * packet of 64 KiB behind an Ethernet header. */
enum { PACKET_NOTES = 10, PACKET_LONGEST = PACKET_NOTES + 14 + 65535 };

/* Opens a socket that receives every frame that comes in on any interface of the namespace, but not
 * the frames that it sends itself. A non-blocking descriptor or a negative errno. */
int packet_open(int ns);
void packet_close(int fd);

/* Starts a packet socket of protocol 0, which receives nothing until it has its options. From now
 * on it receives from all interfaces of the namespace, with stamps. 0 or a negative errno. */
int packet_start(int fd, int ns);

/* Makes an interface take frames for any address. Returns its index or a negative errno. */
int packet_admit(int fd, const char *interface);

struct packet {
  void *notes_and_frame;
  size_t length;
  int interface;       /* index of the interface that the frame came in on */
  uint64_t arrived_ns; /* when the kernel got the frame, on clock_now_ns() */
};

/* Reads one frame into p->notes_and_frame, which must have room for PACKET_LONGEST bytes. 0 or a
 * negative errno: -EAGAIN if there is no frame, -EMSGSIZE or -EINVAL for a frame that nobody could
 * pass on. */
int packet_receive(int fd, struct packet *p);

/* Returns 0 or a negative errno. After an error the frame is lost. */
int packet_send(int fd, int interface, const void *notes_and_frame, size_t length);

/* The frames that the kernel has dropped since the last call: the buffer was full. */
uint32_t packet_dropped(int fd);

#endif
