--- Proxies as clients: lunet asks them, and they ask the server.
---
---     return proxy.client { packages = { "nginx" }, program = "nginx", files = ..., waits = ... }
local options = require "lunet.text.options"

local proxy = {}

--- Completes the description of a proxy for HTTP, which listens on 127.0.0.1:7400. Its words are the status that it
--- answers with.
---@param description table of lunet.client
---@return lunet.client
function proxy.client(description)
  return options.merged({
    listens = 7400,
    request = "GET / HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n",
    says = "^HTTP/1%.[01] ([^\r\n]*)",
  }, description)
end

return proxy
