/* Signals by their names: "SIGTERM", and "SIGRTMIN+3" for those that have none (signal(7)). */
#ifndef LUNET_PLATFORM_SIGNAL_NAME_H
#define LUNET_PLATFORM_SIGNAL_NAME_H

enum { SIGNAL_TEXT = 32 };

const char *signal_name(int number, char text[SIGNAL_TEXT]); /* the text */
int signal_number(const char *name);                         /* 0: there is no such signal */
int signal_last(void);                                       /* signals are 1 up to this */

#endif
