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
  double min, max;   /* in the script's unit */
  const char *since; /* the version of Linux that brought it; NULL: every one that lunet runs on */
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

enum { OPTION_TEXT_SIZE = 32 }; /* with its zero; no name of a congestion control is longer */

/* The values in force, in the kernel's units. Each returns 0 or a negative errno. */
int option_get_number(int fd, const struct option *o, int *value);
int option_get_text(int fd, const struct option *o, char text[OPTION_TEXT_SIZE]);
int option_get_linger(int fd, int *seconds); /* -1: off */

#endif
