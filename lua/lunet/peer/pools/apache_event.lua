--- Apache with the event MPM: processes of several threads. After a graceful restart it may start processes only to
--- have MinSpareThreads, one a second at first, so these are all.
local http = require "lunet.peer.http"

local CONFIGURATION = [[
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule status_module /usr/lib/apache2/modules/mod_status.so
ServerName server
Listen 0.0.0.0:PORT
PidFile PLACE/pid
DefaultRuntimeDir PLACE
ErrorLog PLACE/log
LogFormat "\"%r\" %>s" brief
CustomLog PLACE/log brief
StartServers N
LIMIT
ThreadLimit 5
ThreadsPerChild 5
MaxRequestWorkers THREADS
MinSpareThreads THREADS
MaxSpareThreads 1000
<Location /status>
SetHandler server-status
</Location>
AliasMatch "^/(?!status)" PLACE/served
]]

return http.server {
  packages = { "apache2" },
  program = "apache2",
  version = { "-v" },
  limit = function(n) return "ServerLimit " .. n end,
  arguments = function(running)
    running:write("served", "served")
    local text = CONFIGURATION:gsub("THREADS", tostring(5 * running.clients))
    return { "-D", "FOREGROUND", "-f", running:write("apache2.conf", text) }
  end,
  evidence = function(running) return running:log() end,
  handed = "taken",
  status = { path = "/status?auto", says = "%w+Workers: %d+" },
  graceful = { stop = "SIGWINCH", reload = "SIGUSR1" },
}
