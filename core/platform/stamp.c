#include "platform/stamp.h"

#include <string.h>

bool stamp_read(struct msghdr *message, int64_t *wall_ns) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    *wall_ns = stamp.tv_sec * (int64_t)1000000000 + stamp.tv_nsec;
    return true;
  }
  return false;
}
