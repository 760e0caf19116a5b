--- HAProxy as in haproxy_server.lua, told to look whether a client that waits has left.
local options = require "lunet.text.options"

return options.merged(require "lunet.peer.servers.haproxy_server", {
  option = "option abortonclose",
  limit = function(n) return ("maxconn %d, abortonclose"):format(n) end,
  looks = true,
  looks_frozen = false,
})
