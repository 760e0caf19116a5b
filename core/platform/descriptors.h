/* The number of descriptors that this process may have (getrlimit(2), RLIMIT_NOFILE). */
#ifndef LUNET_PLATFORM_DESCRIPTORS_H
#define LUNET_PLATFORM_DESCRIPTORS_H

#include <sys/resource.h>

/* Raises the soft limit to the hard one. */
void descriptors_raise(void);

/* The soft limit before descriptors_raise. lunet gives it to the programs that it runs. */
rlim_t descriptors_inherited(void);

#endif
