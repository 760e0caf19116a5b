/* libnl has error numbers of its own; this is how they become errno. */
#ifndef LUNET_PLATFORM_NETLINK_ERROR_H
#define LUNET_PLATFORM_NETLINK_ERROR_H

int netlink_errno(int nl_result); /* 0 or more stays; else a negative errno */

#endif
