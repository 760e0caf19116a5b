#include "platform/undertaker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "platform/file.h"

enum order { ADD, FORGET };

/* A message from lunet to the undertaker. ADD comes with a descriptor of the namespace. */
struct message {
  enum order order;
  ino_t inode; /* of the namespace */
};

/* A message with room for one descriptor, as sendmsg(2) and recvmsg(2) take it. */
struct packet {
  struct message message;
  struct iovec bytes;
  struct msghdr header;
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static void undertaker_packet_prepare(struct packet *p) {
  memset(p, 0, sizeof *p);
  p->bytes = (struct iovec){&p->message, sizeof p->message};
  p->header = (struct msghdr){.msg_iov = &p->bytes, .msg_iovlen = 1};
  p->header.msg_control = p->control;
  p->header.msg_controllen = sizeof p->control;
}

/* -- the undertaker ------------------------------------------------------------------------ */

struct grave {
  int ns;
  ino_t inode;
};

/* The namespaces that the undertaker's process holds. */
static struct {
  struct grave *graves;
  size_t count;
} yard;

static void undertaker_take(int ns, ino_t inode) {
  struct grave *more = realloc(yard.graves, (yard.count + 1) * sizeof *yard.graves);
  if (more == NULL) {
    close(ns); /* the namespace would otherwise stay as long as lunet */
    return;
  }
  yard.graves = more;
  yard.graves[yard.count++] = (struct grave){ns, inode};
}

static void undertaker_give_up(ino_t inode) {
  for (size_t i = yard.count; i-- > 0;) {
    if (yard.graves[i].inode != inode) continue;
    close(yard.graves[i].ns);
    yard.graves[i] = yard.graves[--yard.count];
    return;
  }
}

static void undertaker_obey(const struct packet *p) {
  struct cmsghdr *control = CMSG_FIRSTHDR(&p->header);
  int ns;
  if (p->message.order == FORGET) undertaker_give_up(p->message.inode);
  if (p->message.order != ADD || control == NULL) return;
  memcpy(&ns, CMSG_DATA(control), sizeof ns);
  undertaker_take(ns, p->message.inode);
}

static void undertaker_obey_until_end(void) {
  struct packet p;
  while (undertaker_packet_prepare(&p), true) {
    ssize_t length = TEMP_FAILURE_RETRY(recvmsg(STDIN_FILENO, &p.header, MSG_CMSG_CLOEXEC));
    if (length != sizeof p.message) return; /* 0: lunet has ended */
    undertaker_obey(&p);
  }
}

static void undertaker_shorten_retries(void) {
  for (size_t i = 0; i < yard.count; i++)
    if (setns(yard.graves[i].ns, CLONE_NEWNET) == 0)
      file_write("/proc/sys/net/ipv4/tcp_orphan_retries", "1");
}

/* The name keeps ps(1) from listing two processes as lunet. The session keeps Ctrl-C and `timeout`
 * away, which reach a whole process group. */
static _Noreturn void undertaker_live(int socket) {
  sigset_t all;
  setsid();
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  prctl(PR_SET_NAME, "lunet-undertake");
  dup2(socket, STDIN_FILENO);
  close_range(STDIN_FILENO + 1, ~0u, 0); /* the far ends of lunet's sockets must see lunet end */
  char nothing = 0;
  send(STDIN_FILENO, &nothing, sizeof nothing, MSG_NOSIGNAL);
  if (chdir("/") == 0) undertaker_obey_until_end(); /* keep no directory busy */
  undertaker_shorten_retries();
  _exit(EXIT_SUCCESS);
}

/* -- lunet --------------------------------------------------------------------------------- */

enum { LONGEST_S = 1 }; /* a stopped undertaker must not stop lunet */

/* lunet's side of it. Static, because there is one for the process. */
static struct {
  int socket;  /* lunet's end; -1: there is none */
  pid_t owner; /* a child that forked without exec must not speak for its parent */
} undertaker = {.socket = -1};

/* Returns once the undertaker has closed lunet's descriptors. */
static void undertaker_start(void) {
  int pair[2];
  char nothing;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return;
  pid_t child = fork();
  if (child == 0) undertaker_live(pair[1]);
  close(pair[1]);
  if (child == -1) {
    close(pair[0]);
    return;
  }
  TEMP_FAILURE_RETRY(recv(pair[0], &nothing, sizeof nothing, 0));
  struct timeval longest = {.tv_sec = LONGEST_S};
  setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  undertaker.owner = getpid();
  undertaker.socket = pair[0];
}

static void undertaker_tell(enum order order, int ns) {
  struct packet p;
  struct stat about;
  if (undertaker.socket == -1 || undertaker.owner != getpid() || fstat(ns, &about) == -1) return;
  undertaker_packet_prepare(&p);
  p.message = (struct message){order, about.st_ino};
  if (order == ADD) {
    struct cmsghdr *control = CMSG_FIRSTHDR(&p.header);
    *control = (struct cmsghdr){
      .cmsg_len = CMSG_LEN(sizeof ns), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(control), &ns, sizeof ns);
  } else {
    p.header.msg_control = NULL;
    p.header.msg_controllen = 0;
  }
  TEMP_FAILURE_RETRY(sendmsg(undertaker.socket, &p.header, MSG_NOSIGNAL));
}

void undertaker_add(int ns) {
  if (undertaker.socket == -1) undertaker_start();
  undertaker_tell(ADD, ns);
}

void undertaker_forget(int ns) { undertaker_tell(FORGET, ns); }
