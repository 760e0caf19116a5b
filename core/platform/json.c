#include "platform/json.h"

#include <stdlib.h>
#include <string.h>

#include "platform/character.h"
#include "platform/clock.h"

static char *json_reserve(struct json *j, size_t more) {
  if (j->lacks_memory) return NULL;
  if (j->room - j->length < more) {
    size_t room = 2 * (j->length + more);
    char *larger = realloc(j->bytes, room);
    j->lacks_memory = larger == NULL;
    if (larger == NULL) return NULL;
    j->bytes = larger;
    j->room = room;
  }
  return j->bytes + j->length;
}

void json_add(struct json *j, const char *bytes, size_t length) {
  char *end = json_reserve(j, length);
  if (end == NULL) return;
  memcpy(end, bytes, length);
  j->length += length;
}

enum { DIGITS = 20 }; /* of the largest number */

/* Writes the digits before `end`, `least` of them at least. Returns the first. */
static char *json_digits(char *end, uint64_t value, int least) {
  for (; value > 0 || least > 0; value /= 10, least--) *--end = (char)('0' + value % 10);
  return end;
}

static uint64_t json_magnitude(int64_t value) {
  return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static void json_add_sign(struct json *j, int64_t value) {
  if (value < 0) json_add(j, "-", 1);
}

void json_add_integer(struct json *j, int64_t value) {
  char digits[DIGITS], *end = digits + sizeof digits;
  char *first = json_digits(end, json_magnitude(value), 1);
  json_add_sign(j, value);
  json_add(j, first, (size_t)(end - first));
}

void json_add_seconds(struct json *j, int64_t ns) {
  char digits[DIGITS + 1], *end = digits + sizeof digits;
  uint64_t magnitude = json_magnitude(ns);
  char *first = json_digits(end, magnitude % CLOCK_S, 9);
  *--first = '.';
  first = json_digits(first, magnitude / CLOCK_S, 1);
  json_add_sign(j, ns);
  json_add(j, first, (size_t)(end - first));
}

static bool json_is_plain(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

static const char hex[] = "0123456789abcdef";

void json_add_hex(struct json *j, const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    json_add(j, (char[]){hex[bytes[i] >> 4], hex[bytes[i] & 15]}, 2);
}

/* A control character, a quote, a backslash, or a byte outside of a character. */
static void json_add_escape(struct json *j, char c) {
  unsigned char byte = (unsigned char)c;
  char high = hex[byte >> 4], low = hex[byte & 15];
  if (byte >= 0x80)
    json_add(j, (char[]){'\\', '\\', 'x', high, low}, 5);
  else if (c == '"' || c == '\\')
    json_add(j, (char[]){'\\', c}, 2);
  else
    json_add(j, (char[]){'\\', 'u', '0', '0', high, low}, 6);
}

void json_add_string(struct json *j, const char *text, size_t length) {
  json_add(j, "\"", 1);
  for (size_t at = 0, from = 0; at < length; from = at) {
    while (at < length && json_is_plain(text[at])) at++;
    json_add(j, text + from, at - from);
    if (at == length) break;
    size_t bytes = (text[at] & 0x80) != 0 ? character_length(text + at, length - at) : 0;
    if (bytes == 0)
      json_add_escape(j, text[at]);
    else
      json_add(j, text + at, bytes);
    at += bytes == 0 ? 1 : bytes;
  }
  json_add(j, "\"", 1);
}

void json_free(struct json *j) {
  free(j->bytes);
  *j = (struct json){.length = 0};
}
