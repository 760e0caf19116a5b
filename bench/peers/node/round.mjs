// What every peer in Node needs besides its loop: clocks, an echo server, and the one line that a round prints.
import fs from "node:fs";
import net from "node:net";

export const MESSAGE = Buffer.alloc(64, "x");
export const LEAD = 4; // seconds before the first is due

export const argument = (index) => Number(process.argv[index + 1]);
export const now = () => Number(process.hrtime.bigint()) / 1e9;

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

export const start = () => ({ wall: now(), cpu: cpuSeconds() });
export const finish = (started) => ({ wall: now() - started.wall, cpu: cpuSeconds() - started.cpu });

export const print = (values) => console.log(JSON.stringify(values));
export const printRate = (amount, took) => print({ rate: amount / took.wall, cpu_rate: amount / took.cpu });

export const quantile = (sorted, share) => sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1];

export const residentBytes = () => {
  global.gc?.();
  return Number(fs.readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;
};

// Listens on loopback, at a port that the kernel chooses.
export const listen = (onConnection, backlog = 4096) =>
  new Promise((resolve) => {
    const server = net.createServer({ noDelay: true }, onConnection);
    server.listen({ host: "127.0.0.1", port: 0, backlog }, () => resolve(server));
  });

export const connect = (server) => net.connect({ host: "127.0.0.1", port: server.address().port, noDelay: true });

// Its clients may have left: that is no news.
export const echo = (patience) => (socket) => {
  if (patience) socket.setTimeout(patience, () => socket.destroy());
  socket.on("data", (data) => socket.write(data));
  socket.on("error", () => socket.destroy());
};
