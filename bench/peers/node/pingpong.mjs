// pingpong.mjs TRIPS CONNECTIONS: on each connection, all at once, 64 bytes there and back, each end with a timeout
// that it does not need.
import { once } from "node:events";
import { MESSAGE, argument, connect, echo, finish, listen, now, print, quantile, start } from "./round.mjs";

const PATIENCE = 10000; // ms
const [trips, count] = [argument(1), argument(2)];
const server = await listen(echo(PATIENCE));
const sockets = [];
for (let i = 0; i < count; i += 1) {
  sockets[i] = connect(server);
  await once(sockets[i], "connect");
  sockets[i].setTimeout(PATIENCE, () => sockets[i].destroy(new Error("a receive took too long")));
}

const onEach = (trips, latencies) =>
  new Promise((resolve) => {
    let left = trips;
    let running = count;
    for (const socket of sockets) {
      let sent;
      let received = 0;
      const ping = () => {
        left -= 1;
        received = 0;
        sent = now();
        socket.write(MESSAGE);
      };
      socket.removeAllListeners("data");
      socket.on("data", (data) => {
        received += data.length;
        if (received < MESSAGE.length) return;
        latencies.push(now() - sent);
        if (left > 0) ping();
        else if ((running -= 1) === 0) resolve();
      });
      ping();
    }
  });

await onEach(Math.floor(trips / 10) + count, []);
const latencies = [];
const started = start();
await onEach(trips, latencies);
const took = finish(started);
latencies.sort((a, b) => a - b);
print({
  rate: latencies.length / took.wall,
  cpu_rate: latencies.length / took.cpu,
  median_us: quantile(latencies, 0.5) * 1e6,
  p99_us: quantile(latencies, 0.99) * 1e6,
});
process.exit(0);
