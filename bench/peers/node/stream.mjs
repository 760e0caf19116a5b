// stream.mjs MEBIBYTES: one connection, sends of 64 KiB one after another; the other end reads to the end.
import { argument, connect, finish, listen, printRate, start } from "./round.mjs";

const mebibytes = argument(1);
const chunk = Buffer.alloc(64 * 1024, "x");
let received = 0;
let started;

const server = await listen((sink) => {
  sink.on("data", (data) => {
    received += data.length;
  });
  sink.on("end", () => {
    if (received !== mebibytes * 2 ** 20) throw new Error("not all arrived");
    printRate(mebibytes, finish(started));
    server.close();
  });
});

const source = connect(server);
let left = mebibytes * 16;
const send = () => {
  while (left > 0) {
    left -= 1;
    if (!source.write(chunk)) {
      source.once("drain", send);
      return;
    }
  }
  source.end();
};
source.on("connect", () => {
  started = start();
  send();
});
