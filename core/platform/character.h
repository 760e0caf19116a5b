/* How characters look on a terminal. */
#ifndef LUNET_PLATFORM_CHARACTER_H
#define LUNET_PLATFORM_CHARACTER_H

#include <stdint.h>

/* How many columns a Unicode character takes: 0 (it combines with the one before), 1 or 2; -1 if it
 * is none to be shown: a control character, or unassigned. By the C library's tables, whatever the
 * locale; without them every character but the control characters takes 1. */
int character_width(uint32_t code);

#endif
