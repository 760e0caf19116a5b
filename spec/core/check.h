/* CHECK(condition): tells the line and ends the program with status 1 unless it holds. */
#ifndef LUNET_CHECK_H
#define LUNET_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);               \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

#endif
