--- Mosquitto, a broker of MQTT, which closes the connection of a client that is one too many.
local CONFIGURATION = [[
listener PORT 0.0.0.0
allow_anonymous true
LIMIT
log_type all
]]

-- A packet of MQTT 3.1.1 (its specification, 2): type, length of the rest, the rest.
local function packet(kind, rest) return string.char(kind, #rest) .. rest end

local function connect(name) return packet(0x10, string.pack(">s2BBI2s2", "MQTT", 4, 2, 0, name)) end

-- At quality of service 1, so that it is acknowledged; the broker keeps it for later subscribers.
local function publish(word) return packet(0x33, string.pack(">s2I2", word, 1) .. "1") end

local SUBSCRIBE = packet(0x82, string.pack(">I2s2B", 2, "#", 0))

return {
  packages = { "mosquitto" },
  program = "mosquitto",
  version = { "-h" },
  limit = function(n) return "max_connections " .. n end,
  arguments = function(running) return { "-c", running:write("mosquitto.conf", CONFIGURATION) } end,
  holds = connect "holder",
  held = "^\x20\x02",
  request = function(word) return connect(word) .. publish(word) end,
  more = publish,
  first = connect "",
  greets = 1,
  answer = "\x40\x02",
  evidence = function(running, client)
    return running.converse(client, SUBSCRIBE .. "\xc0\0", "\xd0\0") -- and a ping, whose answer comes last
  end,
  logged = { "Client connection from %S+ (denied)" },
}
