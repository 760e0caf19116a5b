// idle.mjs PAIRS: connections of which one end each is read; how much memory a pair takes. Run with --expose-gc.
import { argument, connect, listen, print, residentBytes } from "./round.mjs";

const pairs = argument(1);
const near = [];
const far = [];
let before;

const server = await listen((socket) => {
  socket.on("data", () => {});
  far.push(socket);
  if (far.length < pairs) {
    near.push(connect(server));
    return;
  }
  print({ bytes: Math.round((residentBytes() - before) / pairs) });
  process.exit(0);
});
before = residentBytes();
near.push(connect(server));
