--- Apache with the prefork MPM: a process for each client.
local http = require "lunet.peer.http"

local CONFIGURATION = [[
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule cgi_module /usr/lib/apache2/modules/mod_cgi.so
ServerName server
Listen 0.0.0.0:PORT
PidFile PLACE/pid
DefaultRuntimeDir PLACE
ErrorLog PLACE/log
LogFormat "\"%r\" %>s" brief
CustomLog PLACE/log brief
StartServers 1
MinSpareServers 1
MaxSpareServers 1
ServerLimit N
LIMIT
ScriptAliasMatch ^/ PLACE/leave.sh
]]

return http.server {
  packages = { "apache2" },
  program = "apache2",
  version = { "-v" },
  limit = function(n) return "MaxRequestWorkers " .. n end,
  workers = "accept",
  arguments = function(running)
    local place = running.place.path
    running:run { "install", "-m", "755", running:write("script", http.SCRIPT), place .. "/leave.sh" }
    return { "-D", "FOREGROUND", "-f", running:write("apache2.conf", CONFIGURATION) }
  end,
  logged = { '/WORD HTTP[^\n]-" (%d+)', "(AH00161)" },
}
