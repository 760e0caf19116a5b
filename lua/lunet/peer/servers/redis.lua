--- Redis, which tells a client that is one too many, and closes its connection.
return {
  packages = { "redis-server" },
  program = "redis-server",
  version = { "--version" },
  limit = function(n) return "maxclients " .. n end,
  arguments = function(running)
    return { "--port", running.port, "--bind", "0.0.0.0", "--protected-mode", "no", "--maxclients", running.clients,
      "--save", "", "--appendonly", "no" }
  end,
  holds = "PING\r\n",
  held = "^%+PONG",
  request = function(word) return ("SET %s 1\r\n"):format(word) end,
  answer = "%+OK",
  refusal = "max number of clients",
  evidence = function(running, client) return running.converse(client, "KEYS *\r\nPING\r\n", "PONG\r\n$") end,
  logged = { "# (Error [^\r\n]*)" },
  statistics = function(running, client)
    return running.converse(client, "INFO stats\r\n", "\r\n\r\n$"):match "rejected_connections:%d+"
  end,
}
