--- ioredis. The INFO of its ready check runs into commandTimeout, too; it ends the connection 2 s after that.
return require("lunet.peer.node").client {
  library = "ioredis",
  script = [[
  const client = new (require("ioredis"))({ host, port, ...options });
  for (const name of ["connect", "ready", "close", "reconnecting", "end"]) client.on(name, () => say("event:", name));
  client.on("error", (error) => say("event: error", told(error)));
  await client.ping();]],
  waits = {
    default = {},
    connect = { option = "connectTimeout: 1000, maxRetriesPerRequest: 1", connect = 2 },
    answer = { option = "commandTimeout: 3000, retryStrategy: null", connect = 3, answer = 3,
      status = 1, words = "Command timed out" },
  },
}
