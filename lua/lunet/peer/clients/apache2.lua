--- Apache as a client: mod_proxy_http, with the Timeout of Debian's configuration.
local CONFIGURATION = [[
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ServerName proxy
Listen 127.0.0.1:7400
PidFile PLACE/pid
DefaultRuntimeDir PLACE
ErrorLog PLACE/log
Timeout 300
ProxyPass / http://ADDRESS:PORT/ OPTION
]]

return require("lunet.peer.proxy").client {
  packages = { "apache2" },
  program = "apache2",
  version = { "-v" },
  files = { ["apache2.conf"] = CONFIGURATION },
  arguments = { "-D", "FOREGROUND", "-f", "PLACE/apache2.conf" },
  waits = {
    default = { answer = 300, words = "502" },
    connect = { option = "connectiontimeout=3", connect = 3, answer = 300 },
    answer = { option = "timeout=3", connect = 3, answer = 3, words = "502" },
  },
}
