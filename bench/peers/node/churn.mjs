// churn.mjs CYCLES CLIENTS: each client connects, sends, has it back and closes, and again.
import { MESSAGE, argument, connect, echo, finish, listen, printRate, start } from "./round.mjs";

const cycle = (server) =>
  new Promise((resolve, reject) => {
    let received = 0;
    const socket = connect(server);
    socket.on("connect", () => socket.write(MESSAGE));
    socket.on("data", (data) => {
      received += data.length;
      if (received === MESSAGE.length) socket.destroy();
    });
    socket.on("close", resolve);
    socket.on("error", reject);
  });

const run = async (cycles, clients) => {
  const server = await listen(echo());
  const client = async () => {
    while (cycles > 0) {
      cycles -= 1;
      await cycle(server);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  server.close();
};

const [cycles, clients] = [argument(1), argument(2)];
await run(Math.floor(cycles / 10) + clients, clients);
const started = start();
await run(cycles, clients);
printRate(cycles, finish(started));
