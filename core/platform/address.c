#include "platform/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char unix_prefix[] = "unix:";
enum { UNIX_PREFIX = sizeof unix_prefix - 1 };

static bool address_is_unix(const char *text) {
  return strncmp(text, unix_prefix, UNIX_PREFIX) == 0;
}

static int address_make_unix(const char *path, address *out) {
  struct sockaddr_un *un = &out->as.un;
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof un->sun_path) return -EINVAL;
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path, path, length + 1);
  out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
  if (path[0] == '@') { /* abstract: begins with a zero byte and ends where the length says */
    un->sun_path[0] = '\0';
    out->length--;
  }
  return 0;
}

static int address_make_zone(const char *name, address *out) {
  size_t length = strlen(name);
  if (length == 0 || length >= sizeof out->zone) return -EINVAL;
  memcpy(out->zone, name, length + 1);
  return 0;
}

address address_of_bytes(int family, const void *bytes, int port) {
  address a;
  memset(&a, 0, sizeof a); /* an initialiser may leave the end of the union as it is */
  a.length = family == AF_INET ? sizeof a.as.in : sizeof a.as.in6;
  a.as.any.sa_family = (sa_family_t)family;
  if (family == AF_INET) {
    a.as.in.sin_port = htons((uint16_t)port);
    memcpy(&a.as.in.sin_addr, bytes, sizeof a.as.in.sin_addr);
  } else {
    a.as.in6.sin6_port = htons((uint16_t)port);
    memcpy(&a.as.in6.sin6_addr, bytes, sizeof a.as.in6.sin6_addr);
  }
  return a;
}

static int address_make_in6(const char *text, int port, address *out) {
  struct in6_addr bytes;
  char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
  size_t length = strlen(text);
  if (length >= sizeof host) return -EINVAL;
  memcpy(host, text, length + 1);
  char *zone = strchr(host, '%');
  if (zone != NULL) *zone++ = '\0';
  if (inet_pton(AF_INET6, host, &bytes) != 1) return -EINVAL;
  *out = address_of_bytes(AF_INET6, &bytes, port);
  return zone == NULL ? 0 : address_make_zone(zone, out);
}

static int address_make_in(const char *text, int port, address *out) {
  struct in_addr bytes;
  if (inet_pton(AF_INET, text, &bytes) != 1) return -EINVAL;
  *out = address_of_bytes(AF_INET, &bytes, port);
  return 0;
}

/* Copies the text between the brackets of "[::1]". Returns NULL if there are no brackets. */
static const char *address_unbracket(const char *text, char host[ADDRESS_TEXT]) {
  size_t length = strlen(text);
  if (length < 2 || length >= ADDRESS_TEXT || text[0] != '[' || text[length - 1] != ']')
    return NULL;
  memcpy(host, text + 1, length - 2);
  host[length - 2] = '\0';
  return host;
}

int address_make(const char *text, int port, address *out) {
  char host[ADDRESS_TEXT];
  memset(out, 0, sizeof *out);
  if (port < 0 || port > 65535) return -EINVAL;
  if (address_is_unix(text)) return address_make_unix(text + UNIX_PREFIX, out);
  const char *inside = address_unbracket(text, host);
  if (inside != NULL) return address_make_in6(inside, port, out);
  if (strchr(text, ':') != NULL) return address_make_in6(text, port, out);
  return address_make_in(text, port, out);
}

/* Accepts digits only: strtol alone would accept " 80", "+80" and "80x". */
static int address_parse_number(const char *digits, int most) {
  size_t length = strlen(digits);
  if (length == 0 || length > 5 || strspn(digits, "0123456789") != length) return -EINVAL;
  int number = atoi(digits);
  return number <= most ? number : -EINVAL;
}

/* Copies the text before the last `separator` to `host` and returns the text after it. Returns NULL
 * if there is no separator. */
static const char *address_split(const char *text, char separator, char host[ADDRESS_TEXT]) {
  const char *end = strrchr(text, separator);
  size_t length = end == NULL ? 0 : (size_t)(end - text);
  if (length == 0 || length >= ADDRESS_TEXT) return NULL;
  memcpy(host, text, length);
  host[length] = '\0';
  return end + 1;
}

int address_parse(const char *text, address *out) {
  char host[ADDRESS_TEXT];
  if (address_is_unix(text)) return address_make(text, 0, out);
  const char *digits = address_split(text, ':', host);
  int port = digits == NULL ? -EINVAL : address_parse_number(digits, 65535);
  if (port < 0) return port;
  /* Without brackets "::1:80" could mean two things. */
  if (strchr(host, ':') != NULL && host[0] != '[') return -EINVAL;
  return address_make(host, port, out);
}

int address_parse_prefixed(const char *text, address *out) {
  char host[ADDRESS_TEXT];
  const char *digits = address_split(text, '/', host);
  int result = digits == NULL || host[0] == '[' ? -EINVAL : address_make(host, 0, out);
  if (result < 0 || address_family(out) == AF_UNIX || out->zone[0] != '\0') return -EINVAL;
  return address_parse_number(digits, address_bits(out));
}

int address_bits(const address *a) { return address_family(a) == AF_INET ? 32 : 128; }

const uint8_t *address_bytes(const address *a) {
  if (address_family(a) == AF_INET) return (const uint8_t *)&a->as.in.sin_addr;
  return a->as.in6.sin6_addr.s6_addr;
}

bool address_shares(const address *a, const address *b, int bits) {
  if (address_family(a) != address_family(b)) return false;
  const uint8_t *one = address_bytes(a), *other = address_bytes(b);
  int whole = bits / 8, rest = bits % 8;
  if (memcmp(one, other, (size_t)whole) != 0) return false;
  return rest == 0 || (one[whole] ^ other[whole]) >> (8 - rest) == 0;
}

static const char *address_format_unix(const address *a, char text[ADDRESS_TEXT]) {
  size_t start = offsetof(struct sockaddr_un, sun_path);
  size_t length = a->length > start ? a->length - start : 0;
  const char *path = a->as.un.sun_path;
  if (length > 0 && path[0] == '\0')
    snprintf(text, ADDRESS_TEXT, "unix:@%.*s", (int)length - 1, path + 1);
  else
    snprintf(text, ADDRESS_TEXT, "unix:%.*s", (int)strnlen(path, length), path);
  return text;
}

static const char *address_format_in(const address *a, char text[ADDRESS_TEXT]) {
  int family = address_family(a);
  char host[INET6_ADDRSTRLEN];
  inet_ntop(family, address_bytes(a), host, sizeof host);
  snprintf(text, ADDRESS_TEXT, family == AF_INET6 ? "[%s%s%s]:%d" : "%s%s%s:%d", host,
           a->zone[0] == '\0' ? "" : "%", a->zone, address_port(a));
  return text;
}

const char *address_format(const address *a, char text[ADDRESS_TEXT]) {
  switch (address_family(a)) {
  case AF_UNIX: return address_format_unix(a, text);
  case AF_INET:
  case AF_INET6: return address_format_in(a, text);
  default: text[0] = '\0'; return text;
  }
}

int address_family(const address *a) { return a->length == 0 ? AF_UNSPEC : a->as.any.sa_family; }

int address_port(const address *a) {
  switch (address_family(a)) {
  case AF_INET: return ntohs(a->as.in.sin_port);
  case AF_INET6: return ntohs(a->as.in6.sin6_port);
  default: return 0;
  }
}

static bool address_is_mapped(const address *a) {
  return address_family(a) == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->as.in6.sin6_addr);
}

address address_plain(const address *a) {
  if (address_is_mapped(a))
    return address_of_bytes(AF_INET, &a->as.in6.sin6_addr.s6_addr[12], address_port(a));
  address plain = *a;
  if (address_family(a) == AF_INET6) plain.as.in6.sin6_scope_id = 0;
  plain.zone[0] = '\0';
  return plain;
}

bool address_is_any(const address *a) {
  address plain = address_plain(a);
  switch (address_family(&plain)) {
  case AF_INET: return plain.as.in.sin_addr.s_addr == htonl(INADDR_ANY);
  case AF_INET6: return IN6_IS_ADDR_UNSPECIFIED(&plain.as.in6.sin6_addr);
  default: return false;
  }
}

bool address_is_link_local(const address *a) {
  return address_family(a) == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->as.in6.sin6_addr);
}

bool address_is_loopback(const address *a) {
  address plain = address_plain(a);
  switch (address_family(&plain)) {
  case AF_INET: return address_bytes(&plain)[0] == 127;
  case AF_INET6: return IN6_IS_ADDR_LOOPBACK(&plain.as.in6.sin6_addr);
  default: return false;
  }
}

void address_reachable(address *a) {
  if (!address_is_any(a)) return;
  if (address_is_mapped(a))
    memcpy(&a->as.in6.sin6_addr.s6_addr[12], (uint8_t[]){127, 0, 0, 1}, 4);
  else if (address_family(a) == AF_INET)
    a->as.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  else
    a->as.in6.sin6_addr = in6addr_loopback;
}

const char *address_path(const address *a) {
  bool named = address_family(a) == AF_UNIX && a->as.un.sun_path[0] != '\0';
  return named ? a->as.un.sun_path : NULL;
}
