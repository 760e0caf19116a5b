/* The identity of a process in a new user namespace. */
#ifndef LUNET_PLATFORM_IDENTITY_H
#define LUNET_PLATFORM_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether identity_map can succeed. Ask before you make the namespace: there is no way back. */
bool identity_can_map(uid_t uid);

/* Maps only the user and the group, to themselves, in the user namespace that the process has just
 * made. The process and its files stay the user's. 0 or a negative errno. */
int identity_map(uid_t uid, gid_t gid);

#endif
