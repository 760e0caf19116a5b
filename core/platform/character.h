/* Characters in UTF-8, and how they look on a terminal. */
#ifndef LUNET_PLATFORM_CHARACTER_H
#define LUNET_PLATFORM_CHARACTER_H

#include <stddef.h>
#include <stdint.h>

/* The columns that a Unicode character takes: 0 (it combines with the one before), 1 or 2; -1 for a
 * control character or an unassigned one. The C library's tables decide, in every locale. Without
 * the tables every character except the control characters takes 1. */
int character_width(uint32_t code);

/* The bytes of the character that the text begins with, from 1 to 4. 0: no character in UTF-8 does
 * (RFC 3629). `length` is at least 1. */
size_t character_length(const char *text, size_t length);

#endif
