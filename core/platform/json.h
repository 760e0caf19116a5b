/* Writes JSON (RFC 8259) into memory that grows. */
#ifndef LUNET_PLATFORM_JSON_H
#define LUNET_PLATFORM_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory is an empty text. */
struct json {
  char *bytes;
  size_t length, room;
  bool lacks_memory; /* from then on nothing more is added */
};

void json_add(struct json *j, const char *bytes, size_t length); /* as they are */
void json_add_integer(struct json *j, int64_t value);
void json_add_seconds(struct json *j, int64_t ns); /* 1500000000 becomes 1.500000000 */

/* A string. A byte outside of a UTF-8 character becomes four characters, such as \xff. */
void json_add_string(struct json *j, const char *text, size_t length);

void json_add_hex(struct json *j, const uint8_t *bytes, size_t length); /* two digits a byte */

void json_free(struct json *j); /* empties it */

#endif
