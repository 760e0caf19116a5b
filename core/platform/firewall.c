#include "platform/firewall.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/namespace.h"
#include "platform/nft.h"

const char *firewall_complaint(void) { return nft_complaint(); }

__attribute__((format(printf, 3, 4))) static int firewall_run(firewall *f, const char **output,
                                                              const char *format, ...) {
  char *commands;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&commands, format, arguments);
  va_end(arguments);
  if (length == -1) return -ENOMEM;
  int result = nft_run(f, commands, output);
  /* About once in thousands of tables the kernel never answers the library. nft_run then starts the
   * library anew, and every command here can run twice. */
  bool is_again = result == -ETIMEDOUT;
  if (is_again) result = nft_run(f, commands, output);
  if (is_again && result == -ENOENT && output == NULL)
    result = 0; /* the first try has removed the table */
  free(commands);
  return result;
}

int firewall_add(firewall *f, const char *name, const char *content) {
  /* One transaction, which replaces a table of that name: so it can run twice. */
  return firewall_run(f, NULL, "add table inet %s\ndelete table inet %s\ntable inet %s {\n%s}\n",
                      name, name, name, content);
}

int firewall_stop(firewall *f, const char *name) {
  return firewall_run(f, NULL, "flush chain inet %s judge\n", name);
}

int firewall_remove(firewall *f, const char *name) {
  return firewall_run(f, NULL, "delete table inet %s\n", name);
}

/* Lists one chain. For a named counter the library would ask the kernel about every rule. */
int firewall_count(firewall *f, const char *name, uint64_t *segments, uint64_t *bytes) {
  const char *output;
  int result = firewall_run(f, &output, "list chain inet %s lose\n", name);
  if (result < 0) return result;
  const char *counter = strstr(output, "counter packets ");
  if (counter == NULL) return -EIO;
  if (sscanf(counter, "counter packets %" SCNu64 " bytes %" SCNu64, segments, bytes) != 2)
    return -EIO;
  return 0;
}

int firewall_open(int ns, firewall **out) {
  if (ns == -1) ns = namespace_own_home();
  return ns < 0 ? ns : nft_open(ns, out);
}

void firewall_close(firewall *f) { nft_close(f); }
