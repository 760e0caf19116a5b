/* libnftables in a separate process. The library ends its own process when it gets no memory, no
 * socket or no answer from the kernel (src/utils.c, src/mnl.c, netlink_abi_error). The command then
 * fails, and the next one starts the library anew. */
#ifndef LUNET_PLATFORM_NFT_H
#define LUNET_PLATFORM_NFT_H

typedef struct nft nft;

/* Starts the library for the firewall of a namespace, which must stay open until nft_close. 0 or a
 * negative errno: -ENOPKG without libnftables. */
int nft_open(int ns, nft **out);
void nft_close(nft *n);

/* Runs commands in the language of nft(8). Returns 0, with their output in *output until the next
 * call, or a negative errno, with the library's words in nft_complaint(). output may be NULL. */
int nft_run(nft *n, const char *commands, const char **output);

const char *nft_complaint(void); /* about the last failure; "" if there are no words */

#endif
