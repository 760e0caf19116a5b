// due.mjs COUNT: so many timers are due within one second; how late each fires, and how many fire early.
import { LEAD, argument, now, print, quantile } from "./round.mjs";

const count = argument(1);
const late = [];
let early = 0;

const onDue = (due) => {
  const seconds = now() - due;
  if (seconds < 0) early += 1;
  late.push(Math.max(0, seconds));
  if (late.length < count) return;
  const mean = late.reduce((sum, each) => sum + each, 0) / count;
  late.sort((a, b) => a - b);
  print({ late_us: mean * 1e6, late_p99_us: quantile(late, 0.99) * 1e6, early });
};

const base = now() + LEAD;
for (let i = 0; i < count; i += 1) {
  const due = base + ((i * 7919) % count) / count;
  setTimeout(onDue, Math.ceil((due - now()) * 1e3), due);
}
