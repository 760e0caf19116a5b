#include "platform/source.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/namespace.h"
#include "platform/socket.h"

/* Opens a datagram socket in the namespace of another socket. Only the owner of a namespace may ask
 * for it (SIOCGSKNS). Any other user has sockets only in the namespace of this process. */
static int source_neighbour(int fd, int family) {
  int ns = ioctl(fd, SIOCGSKNS);
  if (ns == -1) {
    int plain = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return plain == -1 ? -errno : plain;
  }
  int made = namespace_socket(ns, family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  close(ns);
  return made;
}

static void source_set_port(address *a, int port) {
  if (address_family(a) == AF_INET) a->as.in.sin_port = htons((uint16_t)port);
  if (address_family(a) == AF_INET6) a->as.in6.sin6_port = htons((uint16_t)port);
}

int source_find(int fd, const address *peer, address *local) {
  int udp = source_neighbour(fd, address_family(peer));
  if (udp < 0) return udp;
  address found;
  int port = address_port(local); /* connect(2) on a datagram socket sends nothing */
  int result = connect(udp, &peer->as.any, peer->length) == -1 ? -errno : socket_local(udp, &found);
  close(udp);
  if (result < 0) return result;
  source_set_port(&found, port);
  *local = found;
  return 0;
}
