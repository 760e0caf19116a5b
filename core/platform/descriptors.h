/* How many descriptors this process may have (getrlimit(2), RLIMIT_NOFILE). */
#ifndef LUNET_PLATFORM_DESCRIPTORS_H
#define LUNET_PLATFORM_DESCRIPTORS_H

#include <sys/resource.h>

/* Raises the soft limit to the hard one. */
void descriptors_raise(void);

/* The soft limit as it was before descriptors_raise: what a program that lunet runs gets. */
rlim_t descriptors_inherited(void);

#endif
