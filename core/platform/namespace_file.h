/* Files below /proc whose content belongs to a network namespace: sysctls and counters. The
 * namespace of the process at open(2) decides. */
#ifndef LUNET_PLATFORM_NAMESPACE_FILE_H
#define LUNET_PLATFORM_NAMESPACE_FILE_H

#include <sys/types.h>

/* ns: -1 for the home host's. Both return the number of bytes or a negative errno. `*text` is
 * malloc'ed and ends with a zero, which does not count. */
ssize_t namespace_read_file(int ns, const char *path, char **text);
ssize_t namespace_write_file(int ns, const char *path, const char *text, size_t length);

#endif
