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
