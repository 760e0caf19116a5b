--- dnsmasq's DNS over TCP, which has a process for each client.
local function pack(...) return string.pack(">s2", string.pack(...)) end

-- A query for the address of a name of one label (RFC 1035, 4.1).
local function query(word) return pack(">HHHHHHs1BHH", 1, 0x100, 1, 0, 0, 0, word, 0, 1, 1) end

return {
  packages = { "dnsmasq-base" },
  program = "dnsmasq",
  version = { "--version" },
  limit = function(n) return "max-tcp-connections=" .. n end,
  arguments = function(running)
    return { "--keep-in-foreground", "--conf-file=/dev/null", "--port=" .. running.port, "--user=", "--group=",
      "--pid-file=", "--no-resolv", "--no-hosts", "--address=/#/192.0.2.1", "--log-queries", "--log-facility=-",
      "--max-tcp-connections=" .. running.clients }
  end,
  holds = "\0", -- half of a length
  request = query,
  answer = "\192\0\2\1$",
  evidence = function(running) return running:log() end,
  logged = { "(query)%[A%] WORD " },
}
