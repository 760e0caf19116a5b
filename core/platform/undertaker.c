#include "platform/undertaker.h"

#include <errno.h>
#include <fcntl.h>
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

/* From lunet: ADD, FORGET, TAKEN. From the undertaker: SPARE, or BARREN if it makes no more of
 * them. ADD and SPARE come with a descriptor of the namespace. */
enum order { ADD, FORGET, TAKEN, SPARE, BARREN };

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

/* ns: -1 without a descriptor. */
static void undertaker_packet_fill(struct packet *p, enum order order, ino_t inode, int ns) {
  undertaker_packet_prepare(p);
  p->message = (struct message){order, inode};
  struct cmsghdr *control = CMSG_FIRSTHDR(&p->header);
  *control = (struct cmsghdr){
    .cmsg_len = CMSG_LEN(sizeof ns), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(control), &ns, sizeof ns);
  if (ns != -1) return;
  p->header.msg_control = NULL;
  p->header.msg_controllen = 0;
}

/* -1: it came without a descriptor, since this process has no room for more. */
static int undertaker_packet_descriptor(struct packet *p) {
  struct cmsghdr *control = CMSG_FIRSTHDR(&p->header);
  int ns = -1;
  if (control != NULL) memcpy(&ns, CMSG_DATA(control), sizeof ns);
  return ns;
}

/* -- the undertaker ------------------------------------------------------------------------ */

struct grave {
  int ns;
  ino_t inode;
};

/* More are hardly asked for at once, and each costs the kernel as much as a host. */
enum { SPARES = 2 };

/* The namespaces that the undertaker's process holds, those of spares among them. */
static struct {
  struct grave *graves;
  size_t count;
  int spares; /* that lunet has not taken */
  bool is_barren;
  undertaker_maker *make;
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

/* The descriptor of the mould. */
enum { MOULD = STDOUT_FILENO };

/* Leaves this process in the namespace, which it keeps. */
static void undertaker_shorten_retries(int ns) {
  if (setns(ns, CLONE_NEWNET) == 0) file_write("/proc/sys/net/ipv4/tcp_orphan_retries", "1");
}

static void undertaker_give_up(ino_t inode) {
  for (size_t i = yard.count; i-- > 0;) {
    if (yard.graves[i].inode != inode) continue;
    undertaker_shorten_retries(yard.graves[i].ns);
    setns(MOULD, CLONE_NEWNET);
    close(yard.graves[i].ns);
    yard.graves[i] = yard.graves[--yard.count];
    return;
  }
}

static void undertaker_obey(struct packet *p) {
  int ns = undertaker_packet_descriptor(p);
  if (p->message.order == FORGET) undertaker_give_up(p->message.inode);
  if (p->message.order == TAKEN) yard.spares--;
  if (p->message.order == ADD && ns != -1) undertaker_take(ns, p->message.inode);
}

static bool undertaker_send(enum order order, ino_t inode, int ns) {
  struct packet p;
  undertaker_packet_fill(&p, order, inode, ns);
  return sendmsg(STDIN_FILENO, &p.header, MSG_DONTWAIT | MSG_NOSIGNAL) != -1;
}

static bool undertaker_send_spare(int ns) {
  struct stat about;
  if (fstat(ns, &about) == -1 || !undertaker_send(SPARE, about.st_ino, ns)) {
    close(ns);
    return false;
  }
  undertaker_take(ns, about.st_ino);
  yard.spares++;
  return true;
}

/* Gives up after the first failure: lunet then makes its hosts itself, and says why it cannot. */
static void undertaker_make_spare(void) {
  int ns = yard.make(MOULD);
  yard.is_barren = ns < 0 || !undertaker_send_spare(ns);
  if (yard.is_barren) undertaker_send(BARREN, 0, -1);
}

/* Obeys first: a spare can wait. */
static void undertaker_obey_until_end(void) {
  struct packet p;
  while (undertaker_packet_prepare(&p), true) {
    bool is_short = yard.count > 0 && yard.spares < SPARES && !yard.is_barren;
    int flags = MSG_CMSG_CLOEXEC | (is_short ? MSG_DONTWAIT : 0);
    ssize_t length = TEMP_FAILURE_RETRY(recvmsg(STDIN_FILENO, &p.header, flags));
    bool is_idle = length == -1 && errno == EAGAIN;
    if (is_idle) undertaker_make_spare();
    if (is_idle) continue;
    if (length != sizeof p.message) return; /* 0: lunet has ended */
    undertaker_obey(&p);
  }
}

/* The name keeps ps(1) from listing two processes as lunet. The session keeps Ctrl-C and `timeout`
 * away, which reach a whole process group. */
static _Noreturn void undertaker_live(int socket, int mould) {
  sigset_t all;
  setsid();
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  prctl(PR_SET_NAME, "lunet-undertake");
  socket = fcntl(socket, F_DUPFD, MOULD + 1); /* neither may be closed by the other's dup2 */
  mould = fcntl(mould, F_DUPFD, MOULD + 1);
  dup2(socket, STDIN_FILENO);
  dup2(mould, MOULD);
  char nothing = 0;
  /* The far ends of lunet's sockets must see lunet end, and its directory must not stay busy. lunet
   * waits for the byte: without it, this process ends. */
  if (close_range(MOULD + 1, ~0u, 0) == 0 && chdir("/") == 0 &&
      send(STDIN_FILENO, &nothing, sizeof nothing, MSG_NOSIGNAL) != -1)
    undertaker_obey_until_end();
  for (size_t i = 0; i < yard.count; i++) undertaker_shorten_retries(yard.graves[i].ns);
  _exit(EXIT_SUCCESS);
}

/* -- lunet --------------------------------------------------------------------------------- */

enum { LONGEST_S = 1 }; /* a stopped undertaker must not stop lunet */

/* lunet's side of it. Static, because there is one for the process. */
static struct {
  int socket; /* lunet's end; -1: there is none */
  bool is_barren;
  pid_t owner; /* a child that forked without exec must not speak for its parent */
} undertaker = {.socket = -1};

/* Returns once the undertaker has closed lunet's descriptors. */
static void undertaker_start(int mould, undertaker_maker *make) {
  int pair[2];
  char nothing;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return;
  pid_t child = fork();
  yard.make = make;
  if (child == 0) undertaker_live(pair[1], mould);
  close(pair[1]);
  if (child == -1) {
    close(pair[0]);
    return;
  }
  TEMP_FAILURE_RETRY(recv(pair[0], &nothing, sizeof nothing, 0));
  struct timeval longest = {.tv_sec = LONGEST_S};
  setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  undertaker.owner = getpid();
  undertaker.socket = pair[0];
}

static bool undertaker_is_there(void) {
  return undertaker.socket != -1 && undertaker.owner == getpid();
}

static void undertaker_tell(enum order order, ino_t inode, int ns) {
  struct packet p;
  undertaker_packet_fill(&p, order, inode, ns);
  TEMP_FAILURE_RETRY(sendmsg(undertaker.socket, &p.header, MSG_NOSIGNAL));
}

void undertaker_add(int ns, int mould, undertaker_maker *make) {
  struct stat about;
  if (undertaker.socket == -1) undertaker_start(mould, make);
  if (undertaker_is_there() && fstat(ns, &about) == 0) undertaker_tell(ADD, about.st_ino, ns);
}

void undertaker_forget(int ns) {
  struct stat about;
  if (undertaker_is_there() && fstat(ns, &about) == 0) undertaker_tell(FORGET, about.st_ino, -1);
}

int undertaker_take_spare(bool must_wait) {
  struct packet p;
  if (!undertaker_is_there() || undertaker.is_barren) return -1;
  undertaker_packet_prepare(&p);
  int flags = MSG_CMSG_CLOEXEC | (must_wait ? 0 : MSG_DONTWAIT);
  ssize_t length = TEMP_FAILURE_RETRY(recvmsg(undertaker.socket, &p.header, flags));
  undertaker.is_barren = length == sizeof p.message && p.message.order == BARREN;
  if (length != sizeof p.message || undertaker.is_barren) return -1;
  int ns = undertaker_packet_descriptor(&p);
  undertaker_tell(TAKEN, p.message.inode, -1);
  if (ns == -1) undertaker_tell(FORGET, p.message.inode, -1);
  return ns;
}
