#include "platform/neighbours.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "platform/netlink_socket.h"

/* A table comes as one message with its statistics, and one for each interface without. */
static int neighbours_take(struct nl_msg *message, void *context) {
  struct nlattr *all[NDTA_MAX + 1];
  struct ndt_stats counts;
  uint64_t *refused = context;
  int result = nlmsg_parse(nlmsg_hdr(message), sizeof(struct ndtmsg), all, NDTA_MAX, NULL);
  if (result < 0 || all[NDTA_STATS] == NULL) return NL_OK;
  if ((size_t)nla_len(all[NDTA_STATS]) < sizeof counts) return NL_OK;
  memcpy(&counts, nla_data(all[NDTA_STATS]), sizeof counts);
  *refused += counts.ndts_table_fulls;
  return NL_OK;
}

int neighbours_refused(uint64_t *out) {
  struct ndtmsg request = {.ndtm_family = AF_UNSPEC};
  *out = 0;
  return netlink_dump(-1, NETLINK_ROUTE, RTM_GETNEIGHTBL, &request, sizeof request, neighbours_take,
                      out);
}
