/* libnftables, in a process of its own: the library ends its process when it gets no memory, no
 * socket or no answer of the kernel's (src/utils.c, src/mnl.c, netlink_abi_error). Then a command
 * fails, and the next one starts the library anew. */
#ifndef LUNET_PLATFORM_NFT_H
#define LUNET_PLATFORM_NFT_H

typedef struct nft nft;

/* For the firewall of a namespace, which must stay until nft_close. 0 or a negative errno: -ENOPKG
 * without libnftables. */
int nft_open(int ns, nft **out);
void nft_close(nft *n);

/* Runs commands as nft(8) reads them. 0, and *output is what they print, until the next call; or a
 * negative errno, and nft_complaint() has the library's words. output may be NULL. */
int nft_run(nft *n, const char *commands, const char **output);

const char *nft_complaint(void); /* of the last failure; "" if there are no words */

#endif
