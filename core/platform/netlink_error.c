#include "platform/netlink_error.h"

#include <errno.h>
#include <netlink/errno.h>

/* libnl maps several of the kernel's errors to one number. This table maps it back to the
 * likeliest. */
static const struct {
  int nl, number;
} errors[] = {
  {NLE_EXIST, EEXIST},         {NLE_OBJ_NOTFOUND, ENOENT}, {NLE_NOMEM, ENOMEM},
  {NLE_PERM, EPERM},           {NLE_NODEV, ENODEV},        {NLE_OPNOTSUPP, EOPNOTSUPP},
  {NLE_NOADDR, EADDRNOTAVAIL}, {NLE_INVAL, EINVAL},        {NLE_BUSY, EBUSY},
  {NLE_RANGE, ERANGE},         {NLE_NOACCESS, EACCES},     {NLE_AF_NOSUPPORT, EAFNOSUPPORT},
  {NLE_INTR, EINTR},           {NLE_AGAIN, EAGAIN},
};

int netlink_errno(int nl_result) {
  int number = errno;
  if (nl_result >= 0) return nl_result;
  if (nl_result == -NLE_NOMEM && number == ENOBUFS) return -ENOBUFS;
  for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
    if (errors[i].nl == -nl_result) return -errors[i].number;
  /* libnl calls an error without a number NLE_FAILURE, and leaves the errno of its system call. */
  return nl_result == -NLE_FAILURE && number != 0 ? -number : -EIO;
}
