/* Turns libnl's own error numbers into errno. */
#ifndef LUNET_PLATFORM_NETLINK_ERROR_H
#define LUNET_PLATFORM_NETLINK_ERROR_H

int netlink_errno(int nl_result); /* returns 0 or more unchanged, otherwise a negative errno */

#endif
