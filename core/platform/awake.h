/* Keeps a processor awake shortly before a deadline. An idle processor sleeps, and waking takes
 * time: microseconds on bare metal, milliseconds for a virtual processor whose host gave it to
 * others. A thread spins on the processor under SCHED_IDLE. Every other task takes the processor
 * from it at once (sched(7)), and while others use the processor the thread pauses.
 *
 * The gain, measured by `build/release/lunet bench/wire.lua 200 0.01` (bench/README.md, "The delay
 * of a link"). For the runs without the thread awake_open returned -ENOSYS. On a quiet
 * machine, 99.5 % of the round trips over a link of 10 ms end within 0.3 ms of their time. Without
 * the thread it is 30 %. For connects it is 85 % and 5 %. On a busy machine the thread gains
 * nothing: three runs gave 29, 50, 59 % with it and 54, 45, 81 % without. */
#ifndef LUNET_PLATFORM_AWAKE_H
#define LUNET_PLATFORM_AWAKE_H

#include <stdint.h>

typedef struct awake awake;

/* Starts the thread: the process cannot make a user namespace afterwards. 0 or a negative errno. */
int awake_open(awake **out);
void awake_close(awake *a); /* waits until the thread has ended */

/* Keeps the processor of the caller awake at this time (clock.h). Replaces the last time. */
void awake_at(awake *a, uint64_t at_ns);

#endif
