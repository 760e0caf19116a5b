--- @grpc/grpc-js.
return require("lunet.peer.node").client {
  library = "@grpc/grpc-js",
  script = [[
  const grpc = require("@grpc/grpc-js");
  const client = new grpc.Client(`${host}:${port}`, grpc.credentials.createInsecure());
  const same = (bytes) => bytes, call = { ...options };
  if (call.deadline) call.deadline += Date.now();
  await new Promise((resolve, reject) => {
    client.makeUnaryRequest("/lunet.Server/Ask", same, same, Buffer.from("word"), new grpc.Metadata(), call,
      (error, answer) => error ? reject(error) : resolve(answer));
  });]],
  waits = {
    default = {},
    answer = { option = "deadline: 3000", connect = 3, answer = 3, status = 1, words = "DEADLINE_EXCEEDED" },
  },
}
