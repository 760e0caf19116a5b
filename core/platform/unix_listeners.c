#include "platform/unix_listeners.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "platform/netlink_socket.h"
#include "platform/tcp_info.h"

enum { FIRST_ROOM = 8 };

static struct unix_listener *unix_listeners_make_room(struct unix_listener_list *list) {
  if (list->count == list->room) {
    size_t room = list->room == 0 ? FIRST_ROOM : 2 * list->room;
    struct unix_listener *longer = reallocarray(list->listeners, room, sizeof *longer);
    if (longer == NULL) return NULL;
    list->listeners = longer;
    list->room = room;
  }
  return &list->listeners[list->count];
}

/* A path, without a zero at its end, or a zero and an abstract name. */
static void unix_listeners_set_address(address *out, struct nlattr *name) {
  memset(out, 0, sizeof *out);
  out->as.un.sun_family = AF_UNIX;
  size_t length = name == NULL ? 0 : (size_t)nla_len(name);
  if (length > sizeof out->as.un.sun_path) length = sizeof out->as.un.sun_path;
  if (length > 0) memcpy(out->as.un.sun_path, nla_data(name), length);
  out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int unix_listeners_read_listener(struct nl_msg *message, void *argument) {
  struct unix_listener_list *list = argument;
  const struct unix_diag_msg *header = nlmsg_data(nlmsg_hdr(message));
  struct nlattr *queue = nlmsg_find_attr(nlmsg_hdr(message), sizeof *header, UNIX_DIAG_RQLEN);
  if (queue == NULL || nla_len(queue) < (int)sizeof(struct unix_diag_rqlen)) return NL_SKIP;
  struct unix_listener *l = unix_listeners_make_room(list);
  if (l == NULL) return -NLE_NOMEM;
  const struct unix_diag_rqlen *lengths = nla_data(queue);
  *l = (struct unix_listener){header->udiag_ino, lengths->udiag_rqueue, lengths->udiag_wqueue, {0}};
  unix_listeners_set_address(&l->local,
                             nlmsg_find_attr(nlmsg_hdr(message), sizeof *header, UNIX_DIAG_NAME));
  list->count++;
  return NL_OK;
}

int unix_listeners_read(int ns, struct unix_listener_list *out) {
  struct unix_diag_req request = {
    .sdiag_family = AF_UNIX,
    .udiag_states = 1 << TCP_STATE_LISTEN,
    .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN,
  };
  *out = (struct unix_listener_list){NULL, 0, 0};
  return netlink_dump(ns, NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, &request, sizeof request,
                      unix_listeners_read_listener, out);
}

void unix_listeners_free(struct unix_listener_list *list) {
  free(list->listeners);
  *list = (struct unix_listener_list){NULL, 0, 0};
}
