--- PostgreSQL, which refuses to run as root. A client that is one too many gets a process of its own, which tells it.
local needs = require "lunet.run.needs"

local PROGRAM = "/usr/lib/postgresql/*/bin/postgres"

-- Messages of PostgreSQL's protocol (its manual, 55.7): the length counts itself.
local function startup()
  local text = string.pack(">I4zzzzB", 196608, "user", "lunet", "database", "postgres", 0)
  return string.pack(">I4", #text + 4) .. text
end

local function query(text) return "Q" .. string.pack(">I4z", #text + 5, text) end

-- The table is there before: a notice that it exists would be one more write to the client.
local CREATE = "echo 'CREATE TABLE asked (word text)' | '%s' --single -D '%s' postgres"
local INSERT = "INSERT INTO asked VALUES ('%s')"
local READY = "Z\0\0\0\5I"

return {
  packages = { "postgresql" },
  program = PROGRAM,
  version = { "--version" },
  limit = function(n) return "max_connections = " .. n end,
  arguments = function(running)
    local data = running.place.path .. "/data"
    running:run { "/usr/lib/postgresql/*/bin/initdb", "--pgdata", data, "--username", "lunet", "--auth", "trust",
      "--no-locale", "--no-sync" }
    running:run { "sh", "-c", CREATE:format(needs.path(PROGRAM), data) }
    local clients = running:write("clients", "host all all all trust\n")
    return { "-D", data, "-p", running.port, "-h", "0.0.0.0", "-F", "-c", "unix_socket_directories=",
      "-c", "max_connections=" .. running.clients, "-c", "superuser_reserved_connections=0",
      "-c", "hba_file=" .. clients, "-c", "log_connections=on", "-c", "shared_buffers=1MB" }
  end,
  ready = "ready to accept connections",
  holds = startup(),
  held = READY,
  first = startup(),
  greets = 1,
  workers = "read",
  request = function(word)
    return startup() .. query(INSERT:format(word))
  end,
  answer = "INSERT 0 1",
  refusal = "too many clients already",
  evidence = function(running, client) return running.converse(client, query "SELECT * FROM asked", READY) end,
  logged = { "FATAL:  sorry, (too many clients) already", "(connection to client lost)" },
}
