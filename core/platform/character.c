#include "platform/character.h"

#include <locale.h>
#include <stdbool.h>
#include <wchar.h>

/* wcwidth(3) depends on the thread's locale. glibc has C.UTF-8 built in since 2.35; Debian shipped
 * it earlier. `known` is static, because the locale belongs to the process. */
static locale_t character_utf8_locale(void) {
  static locale_t known;
  static bool is_known;
  if (!is_known) known = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  is_known = true;
  return known;
}

/* How many bytes a character has, by its first one, and the range of the second one (RFC 3629,
 * section 4). All further bytes are from 0x80 to 0xbf. */
static const struct {
  uint8_t first, last, length, least, most;
} forms[] = {
  {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
  {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
  {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

size_t character_length(const char *text, size_t length) {
  const uint8_t *bytes = (const uint8_t *)text;
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (bytes[0] < forms[i].first || bytes[0] > forms[i].last) continue;
    size_t wanted = forms[i].length;
    if (wanted > length) return 0;
    if (wanted > 1 && (bytes[1] < forms[i].least || bytes[1] > forms[i].most)) return 0;
    for (size_t at = 2; at < wanted; at++)
      if (bytes[at] < 0x80 || bytes[at] > 0xbf) return 0;
    return wanted;
  }
  return 0;
}

static bool character_is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

int character_width(uint32_t code) {
  locale_t utf8 = character_utf8_locale();
  if (character_is_control(code)) return -1;
  if (code < 0x7f || utf8 == (locale_t)0) return 1;
  locale_t before = uselocale(utf8);
  int width = wcwidth((wchar_t)code);
  uselocale(before);
  return width;
}
