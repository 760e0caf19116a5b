/* The parts that all peers in C share, besides the loop: clocks, the port of a listener, and the
 * one line that a round prints. */
#ifndef BENCH_ROUND_H
#define BENCH_ROUND_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MESSAGE = 64 }; /* bytes there, and bytes back */

static inline uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

/* A measured span: time as it passes, and time of the processor, which other programs lengthen
 * less. */
struct span {
  uint64_t wall_ns, cpu_ns;
};

static inline struct span span_start(void) {
  return (struct span){now_ns(), clock_ns(CLOCK_PROCESS_CPUTIME_ID)};
}

static inline struct span span_end(struct span started) {
  struct span now = span_start();
  return (struct span){now.wall_ns - started.wall_ns, now.cpu_ns - started.cpu_ns};
}

static inline double per_second(double amount, uint64_t ns) { return amount * 1e9 / (double)ns; }

static inline void print_rate(double amount, struct span took) {
  printf("{\"rate\": %.1f, \"cpu_rate\": %.1f}\n", per_second(amount, took.wall_ns),
         per_second(amount, took.cpu_ns));
}

static inline int compare_ns(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Nearest rank, as lunet.load.statistics has it, in microseconds. The values are sorted. */
static inline double quantile_us(const uint64_t *sorted_ns, int count, double share) {
  int rank = (int)(count * share + 0.999999);
  return (double)sorted_ns[rank > 0 ? rank - 1 : 0] / 1e3;
}

static inline void print_latencies(uint64_t *ns, int count, struct span took) {
  qsort(ns, (size_t)count, sizeof *ns, compare_ns);
  printf("{\"rate\": %.1f, \"cpu_rate\": %.1f, \"median_us\": %.3f, \"p99_us\": %.3f}\n",
         per_second(count, took.wall_ns), per_second(count, took.cpu_ns),
         quantile_us(ns, count, 0.5), quantile_us(ns, count, 0.99));
}

/* The resident memory of this process, in bytes. */
static inline double resident_bytes(void) {
  long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &size, &resident) != 2) abort();
  fclose(file);
  return (double)resident * 4096;
}

/* A result that has to be 0 or more. */
static inline int check(int result, const char *what) {
  if (result >= 0) return result;
  fprintf(stderr, "%s: failed (%d)\n", what, result);
  exit(1);
}

static inline int integer_argument(int argc, char **argv, int index) {
  if (argc > index && atoi(argv[index]) > 0) return atoi(argv[index]);
  fprintf(stderr, "%s: argument %d is a number, 1 or more\n", argv[0], index);
  exit(2);
}

static inline struct sockaddr_in loopback(uint16_t port) {
  return (struct sockaddr_in){
    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

#endif
