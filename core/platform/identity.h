/* Who a process is in a new user namespace. */
#ifndef LUNET_PLATFORM_IDENTITY_H
#define LUNET_PLATFORM_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether identity_map can succeed: asked before the namespace is made, since there is no way back.
 */
bool identity_can_map(uid_t uid);

/* Maps the user and the group, and nobody else, to themselves in the user namespace that the
 * process has just made: it goes on as the user, and files stay the user's. 0 or a negative errno.
 */
int identity_map(uid_t uid, gid_t gid);

#endif
