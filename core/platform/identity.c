#include "platform/identity.h"

#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/file.h"

/* Mapping root takes CAP_SETFCAP, so that nobody gives capabilities to files by a detour
 * (user_namespaces(7)). In some containers root does not have it. */
bool identity_can_map(uid_t uid) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3];
  if (uid != 0) return true;
  if (syscall(SYS_capget, &header, held) == -1) return false;
  return held[CAP_TO_INDEX(CAP_SETFCAP)].effective & CAP_TO_MASK(CAP_SETFCAP);
}

int identity_map(uid_t uid, gid_t gid) {
  char line[64];
  snprintf(line, sizeof line, "%u %u 1", (unsigned)uid, (unsigned)uid);
  int result = file_write("/proc/self/uid_map", line);
  if (result == 0) result = file_write("/proc/self/setgroups", "deny");
  snprintf(line, sizeof line, "%u %u 1", (unsigned)gid, (unsigned)gid);
  return result < 0 ? result : file_write("/proc/self/gid_map", line);
}
