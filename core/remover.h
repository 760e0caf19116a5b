/* The remover: lunet-guard, called with LEFTOVERS_OPTION. */
#ifndef LUNET_REMOVER_H
#define LUNET_REMOVER_H

/* Learns paths until lunet has ended, removes those it was not told to forget, and exits. */
_Noreturn void remover_run(void);

#endif
