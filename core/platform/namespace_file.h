/* Files below /proc whose content belongs to a network namespace: sysctls and counters. The kernel
 * decides when the file is opened which namespace's it is. */
#ifndef LUNET_PLATFORM_NAMESPACE_FILE_H
#define LUNET_PLATFORM_NAMESPACE_FILE_H

#include <sys/types.h>

/* ns: -1 for the home host's. Both return a count or a negative errno. The text is malloc'ed,
 * and ends without a zero. */
ssize_t namespace_read_file(int ns, const char *path, char **text);
ssize_t namespace_write_file(int ns, const char *path, const char *text, size_t length);

#endif
