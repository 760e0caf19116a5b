/* A processor that has nothing to do goes to sleep, and takes its time to wake: microseconds on
 * bare metal, milliseconds where it is a virtual one that its host gave to others. This keeps it
 * from sleeping shortly before a time that matters, by a thread that spins there under SCHED_IDLE:
 * whoever else has something to do goes first, at once (sched(7)), and when others use the
 * processor the thread stops for a while.
 *
 * What it wins on a quiet machine, by `build/release/lunet bench/wire.lua 200 0.01`
 * (bench/README.md, "The delay of a link"): over a link of 10 ms, 99.5 % of the round trips come
 * within 0.3 ms of their time with it, and 30 % without; of the connects 85 % and 5 %. On a machine
 * that others keep busy it wins nothing: three runs each gave 29, 50, 59 % with it and 54, 45, 81 %
 * without. */
#ifndef LUNET_PLATFORM_AWAKE_H
#define LUNET_PLATFORM_AWAKE_H

#include <stdint.h>

typedef struct awake awake;

int awake_open(awake **out); /* starts the thread: the process can then make no user namespace */
void awake_close(awake *a);  /* waits for its end */

/* The processor that calls this is to be awake at this time (clock.h), instead of one said before.
 */
void awake_at(awake *a, uint64_t at_ns);

#endif
