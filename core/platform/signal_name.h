/* Signals by name: "SIGTERM", or "SIGRTMIN+3" for a real-time signal (signal(7)). */
#ifndef LUNET_PLATFORM_SIGNAL_NAME_H
#define LUNET_PLATFORM_SIGNAL_NAME_H

enum { SIGNAL_TEXT = 32 };

const char *signal_name(int number, char text[SIGNAL_TEXT]); /* returns text */
int signal_number(const char *name);                         /* 0: no such signal */
int signal_last(void); /* the highest number; the lowest is 1 */

#endif
