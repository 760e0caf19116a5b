--- MariaDB. Its max_connections is at least 10, so the limit is the one for the connections of a user. A client that is
--- one too many is greeted like any other, and hears of the limit when it logs in.
local CONFIGURE = [[
CREATE DATABASE lunet;
CREATE TABLE lunet.asked (word TEXT) ENGINE=Aria;
CREATE USER lunet@'%';
GRANT ALL ON lunet.* TO lunet@'%';
]]

-- A packet of its protocol: the length in three bytes, a number, and the content.
local function packet(number, content) return string.pack("<I3B", #content, number) .. content end

-- The capabilities of a client that knows MySQL 4.1's protocol, and passwords by a plugin; here without a password.
local CAPABILITIES <const>, UTF8 <const> = 0x88201, 33
local LOGIN = packet(1, string.pack("<I4I4Bc23zBz", CAPABILITIES, 1 << 24, UTF8, "", "lunet", 0,
  "mysql_native_password"))

local function query(text) return packet(0, "\3" .. text) end

local INSERT = "INSERT INTO lunet.asked VALUES ('%s') RETURNING 'done'"
local OK = "\7\0\0\2\0\0\0\2\0\0\0"

return {
  packages = { "mariadb-server-core" },
  program = "mariadbd",
  version = { "--version" },
  limit = function(n) return "max_user_connections = " .. n end,
  arguments = function(running)
    local place = running.place.path
    local data, log_size = "--datadir=" .. place .. "/data", "--innodb-log-file-size=4M"
    running:run { "mariadb-install-db", "--no-defaults", data, log_size, "--tmpdir=" .. place, "--skip-test-db",
      "--skip-name-resolve", "--auth-root-authentication-method=normal" }
    return { "--no-defaults", data, log_size, "--port=" .. running.port, "--bind-address=0.0.0.0",
      "--skip-name-resolve", "--socket=" .. place .. "/socket", "--pid-file=" .. place .. "/pid", "--tmpdir=" .. place,
      "--max-user-connections=" .. running.clients, "--init-file=" .. running:write("init.sql", CONFIGURE) }
  end,
  ready = "ready for connections",
  holds = LOGIN,
  held = OK,
  first = "",
  greets = 2,
  request = function(word) return LOGIN .. query(INSERT:format(word)) end,
  answer = "\4done",
  refusal = "max_user_connections",
  evidence = function(running, client)
    return running.converse(client, query "SELECT GROUP_CONCAT(word), 'the end' FROM lunet.asked", "the end.-\xfe")
  end,
  logged = {},
}
