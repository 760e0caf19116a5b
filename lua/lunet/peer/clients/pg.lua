--- pg, for PostgreSQL.
return require("lunet.peer.node").client {
  library = "pg",
  script = [[
  const client = new (require("pg").Client)({ host, port, user: "lunet", ...options });
  client.on("error", (error) => say("event: error", told(error)));
  await client.connect();]],
  waits = {
    default = {},
    answer = { option = "connectionTimeoutMillis: 3000", connect = 3, answer = 3, status = 1, words = "timeout" },
  },
}
