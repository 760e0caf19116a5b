--- The kernel's address translation (nftables). No program forwards: the server's own answers reach the client. lunet
--- gives the rule to the kernel by libnftables, since an ordinary user's nft has no rights over lunet's hosts.
local translation = require "lunet.network.translation"

return {
  packages = { "nftables" },
  program = "nft",
  version = { "--version" },
  open = function(running)
    return assert(translation.open(running.host, { port = running.port, to = running.server,
      to_port = running.server_port }))
  end,
  listens = false,
  delivers = { close = true, reset = false },
  logged = {},
}
