#include "platform/shared_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/socket.h"

#ifndef sigev_notify_thread_id /* older glibc */
#define sigev_notify_thread_id _sigev_un._tid
#endif

int shared_socket_set_blocking(int fd, bool blocks) {
  int flags = fcntl(fd, F_GETFL);
  if (flags == -1) return -errno;
  flags = blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  return fcntl(fd, F_SETFL, flags) == -1 ? -errno : 0;
}

static void shared_socket_on_signal(int number) { (void)number; }

/* Sets a timer that signals this thread each millisecond: the first signal may come before
 * accept4(2) waits. */
static int shared_socket_start_timer(int number, timer_t *out) {
  const struct itimerspec each = {.it_interval = {0, CLOCK_MS}, .it_value = {0, CLOCK_MS}};
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
  event.sigev_notify_thread_id = gettid();
  if (timer_create(CLOCK_MONOTONIC, &event, out) == -1) return -ENOMEM; /* not EAGAIN */
  timer_settime(*out, 0, &each, NULL);
  return 0;
}

/* Setting O_NONBLOCK around accept4(2) would be simpler, but a program that begins to accept just
 * then would get EAGAIN. */
int shared_socket_accept_bounded(int fd, address *peer) {
  struct sigaction handler = {.sa_handler = shared_socket_on_signal}, before; /* no SA_RESTART */
  sigset_t ours, mask;
  timer_t timer;
  sigemptyset(&ours);
  sigaddset(&ours, SIGRTMAX);
  sigaction(SIGRTMAX, &handler, &before);
  pthread_sigmask(SIG_UNBLOCK, &ours, &mask);
  int result = shared_socket_start_timer(SIGRTMAX, &timer);
  if (result == 0) {
    result = socket_accept(fd, peer);
    timer_delete(timer);
  }
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  sigaction(SIGRTMAX, &before, NULL);
  return result == -EINTR ? -EAGAIN : result;
}

int shared_socket_accept(int fd, address *peer) {
  struct pollfd queue = {.fd = fd, .events = POLLIN};
  if (poll(&queue, 1, 0) == 0) return -EAGAIN;
  return shared_socket_accept_bounded(fd, peer);
}
