/* Socket options by name, as a table: name, level, number, type, bounds. */
#ifndef LUNET_PLATFORM_OPTION_H
#define LUNET_PLATFORM_OPTION_H

enum option_type {
  OPTION_FLAG,         /* true or false */
  OPTION_NUMBER,       /* a whole number from min to max */
  OPTION_SECONDS,      /* seconds, kept by the kernel as whole seconds */
  OPTION_MILLISECONDS, /* seconds, kept by the kernel as milliseconds */
  OPTION_LINGER,       /* 0 or false: see option_set_linger */
  OPTION_TEXT,         /* a word, such as the name of a congestion control */
};

struct option {
  const char *name;
  enum option_type type;
  int level, number;
  double min, max; /* in the script's unit */
};

enum { OPTIONS_MOST = 32 }; /* no fewer than the table has */

extern const struct option option_table[]; /* ends with a NULL name */

/* Each returns 0 or a negative errno. */
int option_set_number(int fd, const struct option *o, int value); /* in the kernel's unit */
int option_set_text(int fd, const struct option *o, const char *value);

/* Sets SO_LINGER to a time of zero (close sends RST) or off. lunet offers no longer time: close(2)
 * would wait for it even on a non-blocking socket (net/ipv4/tcp.c, tcp_close), and lunet's close
 * never waits. */
int option_set_linger(int fd, int reset_on_close);

#endif
