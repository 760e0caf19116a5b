"""due.py COUNT: so many timers are due within one second; how late each fires, and how many fire early."""
import asyncio
import time

import round


async def main():
    count = round.argument(1)
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    late = []

    def on_due(due):
        late.append(time.monotonic() - due)
        if len(late) == count:
            done.set_result(True)

    base = time.monotonic() + round.LEAD
    for i in range(count):
        due = base + i * 7919 % count / count
        loop.call_later(due - time.monotonic(), on_due, due)
    await done
    early = sum(seconds < 0 for seconds in late)
    late = sorted(max(0, seconds) for seconds in late)
    round.show({"late_us": sum(late) / count * 1e6, "late_p99_us": round.quantile(late, 0.99) * 1e6, "early": early})


round.run(main())
