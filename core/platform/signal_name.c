#include "platform/signal_name.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

int signal_last(void) { return SIGRTMAX; }

const char *signal_name(int number, char text[SIGNAL_TEXT]) {
  const char *name = sigabbrev_np(number);
  if (name != NULL)
    snprintf(text, SIGNAL_TEXT, "SIG%s", name);
  else if (number >= SIGRTMIN)
    snprintf(text, SIGNAL_TEXT, "SIGRTMIN+%d", number - SIGRTMIN);
  else /* the C library keeps these for itself */
    snprintf(text, SIGNAL_TEXT, "signal %d", number);
  return text;
}

int signal_number(const char *name) {
  char text[SIGNAL_TEXT];
  for (int number = 1; number <= signal_last(); number++)
    if (strcmp(name, signal_name(number, text)) == 0) return number;
  return 0;
}
