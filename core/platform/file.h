/* Files of /proc, which take a value as a whole. */
#ifndef LUNET_PLATFORM_FILE_H
#define LUNET_PLATFORM_FILE_H

int file_write(const char *path, const char *text); /* 0 or a negative errno */

#endif
