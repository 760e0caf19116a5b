--- redis, Node's library of Redis' makers.
return require("lunet.peer.node").client {
  library = "redis",
  script = [[
  const client = require("redis").createClient({ socket: { host, port, ...options } });
  for (const name of ["connect", "ready", "end", "reconnecting"]) client.on(name, () => say("event:", name));
  client.on("error", (error) => say("event: error", told(error)));
  await client.connect();
  await client.ping();]],
  waits = {
    default = {},
    connect = { option = "connectTimeout: 3000, reconnectStrategy: false", connect = 3 },
    answer = { option = "socketTimeout: 3000, reconnectStrategy: false", connect = 3, answer = 3, status = 1 },
  },
}
