--- lighttpd, which stops accepting at its limit.
local http = require "lunet.peer.http"

local CONFIGURATION = [[
server.port = PORT
server.document-root = "PLACE"
LIMIT
server.modules = ("mod_rewrite", "mod_cgi", "mod_accesslog")
url.rewrite-once = ("^/(.*)" => "/leave.sh?$1")
cgi.assign = (".sh" => "/bin/sh")
accesslog.filename = "|/bin/cat >>PLACE/log"
accesslog.format = "\"%r\" %s"
]]

return http.server {
  packages = { "lighttpd" },
  program = "lighttpd",
  version = { "-v" },
  limit = function(n) return "server.max-connections = " .. n end,
  races = "reset", -- it kills the CGI program by SIGTERM
  arguments = function(running)
    running:write("leave.sh", http.SCRIPT)
    return { "-D", "-f", running:write("lighttpd.conf", CONFIGURATION) }
  end,
}
