--- NATS, which tells a client that is one too many, and closes its connection. It keeps no message, but logs each.
local CONNECT = 'CONNECT {"verbose":false}\r\n'

-- A message to itself.
local function publish(word) return ("SUB %s 1\r\nPUB %s 1\r\n1\r\n"):format(word, word) end

return {
  packages = { "nats-server" },
  program = "nats-server",
  version = { "--version" },
  limit = function(n) return "max_connections: " .. n end,
  arguments = function(running)
    return { "-V", "-c", running:write("nats.conf", "listen: 0.0.0.0:PORT\nLIMIT\n") }
  end,
  holds = CONNECT .. "PING\r\n",
  held = "PONG\r\n",
  first = "",
  greets = 1,
  races = "reset", -- if it was stopped for more than 2 s, it sends its first PING, which fails, or reads
  request = function(word) return CONNECT .. publish(word) end,
  more = publish,
  answer = "MSG %S+ 1 1\r\n",
  refusal = "maximum connections exceeded",
  evidence = function(running)
    local words = {}
    for word in running:log():gmatch "%[PUB (%S+) 1%]" do words[#words + 1] = word end
    return table.concat(words, "\n")
  end,
  logged = { "(maximum connections exceeded)" },
}
