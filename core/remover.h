/* The remover: lunet-guard called with LEFTOVERS_OPTION. */
#ifndef LUNET_REMOVER_H
#define LUNET_REMOVER_H

/* Receives paths until lunet has ended, then removes every path that lunet has not told it to
 * forget, and exits. */
_Noreturn void remover_run(void);

#endif
