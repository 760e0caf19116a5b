/* Converts numeric socket addresses to text and back: "127.0.0.1:80", "[::1]:80",
 * "[fe80::1%eth0]:80", "unix:/path", "unix:@name" (abstract). No function resolves names. */
#ifndef LUNET_PLATFORM_ADDRESS_H
#define LUNET_PLATFORM_ADDRESS_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct address {
  socklen_t length; /* 0: no address */
  union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
  } as;
  char zone[IF_NAMESIZE]; /* the interface of an IPv6 address, by name or number; "": none. Each
                             host numbers its own interfaces: see socket_find_zone */
} address;

enum { ADDRESS_TEXT = 128 }; /* room for the longest text, a Unix path, with its terminator */

/* "127.0.0.1:80", "[::1]:80", "unix:/path". Returns 0 or -EINVAL. */
int address_parse(const char *text, address *out);

/* Takes an address without its port ("127.0.0.1", "::1", "[::1]", "unix:/path"), and the port.
 * Returns 0 or -EINVAL. */
int address_make(const char *text, int port, address *out);

/* "10.0.0.1/24", "fd00::1/64". Returns the prefix length or -EINVAL. */
int address_parse_prefixed(const char *text, address *out);

/* The size of the address without its port, in bits: 32 or 128. */
int address_bits(const address *a);

/* An IPv4 or IPv6 address as a packet carries it: address_bits(a) / 8 bytes. */
const uint8_t *address_bytes(const address *a);
address address_of_bytes(int family, const void *bytes, int port); /* AF_INET or AF_INET6 */

/* Whether two addresses of one family have the same first bits. Ports do not count. */
bool address_shares(const address *a, const address *b, int bits);

/* Writes the text and returns it. */
const char *address_format(const address *a, char text[ADDRESS_TEXT]);

int address_family(const address *a); /* AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC when empty */
int address_port(const address *a);   /* host byte order; 0 for Unix */

/* The form that both ends of a connection and its segments share. It has no zone.
 * "[::ffff:10.0.0.2]:80", an IPv4 address on an IPv6 socket, becomes "10.0.0.2:80" (RFC
 * 4291, 2.5.5.2). */
address address_plain(const address *a);

bool address_is_any(const address *a); /* 0.0.0.0, ::ffff:0.0.0.0 or :: */

bool address_is_link_local(const address *a); /* fe80::/10, which needs a zone (RFC 4007) */
bool address_is_loopback(const address *a);   /* 127.0.0.0/8 or ::1 */

/* Replaces a wildcard by the address that a client on the same host connects to: 0.0.0.0 becomes
 * 127.0.0.1, :: becomes ::1. */
void address_reachable(address *a);

/* The path of the file that bind(2) makes for a Unix address. NULL if the address is abstract or
 * not Unix. */
const char *address_path(const address *a);

#endif
