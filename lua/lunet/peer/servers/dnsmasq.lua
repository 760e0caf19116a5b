--- dnsmasq's DNS over TCP, which has a process for each client.
local dns = require "lunet.peer.dns"

return dns.server {
  packages = { "dnsmasq-base" },
  program = "dnsmasq",
  version = { "--version" },
  limit = function(n) return "max-tcp-connections=" .. n end,
  arguments = function(running)
    return { "--keep-in-foreground", "--conf-file=/dev/null", "--port=" .. running.port, "--user=", "--group=",
      "--pid-file=", "--no-resolv", "--no-hosts", "--address=/#/192.0.2.1", "--log-queries", "--log-facility=-",
      "--max-tcp-connections=" .. running.clients }
  end,
  workers = "read",
  looks = "reset", -- it asks the kernel for the client's address, as named does
  logged = { "(query)%[A%] WORD " },
}
