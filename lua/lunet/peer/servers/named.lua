--- BIND's named. It accepts one client more than its limit, and does not read from it. When there is room it asks the
--- kernel for that client's address, which fails if the connection was reset: it drops that client.
local dns = require "lunet.peer.dns"

local CONFIGURATION = [[
options {
  directory "PLACE";
  listen-on port PORT { any; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile "PLACE/session";
  managed-keys-directory "PLACE";
  recursion no;
  dnssec-validation no;
  querylog yes;
  tcp-initial-timeout 1200;
  tcp-idle-timeout 1200;
  LIMIT;
};
controls { };
zone "." { type primary; file "PLACE/zone"; };
]]

local ZONE = [[
$TTL 1
@ SOA . . 1 1 1 1 1
@ NS ns
* A %s
]]

return dns.server {
  packages = { "bind9" },
  program = "named",
  version = { "-v" },
  limit = function(n) return "tcp-clients " .. n end,
  arguments = function(running)
    running:write("zone", ZONE:format(dns.ADDRESS))
    return { "-g", "-n", "1", "-c", running:write("named.conf", CONFIGURATION) }
  end,
  ready = "running\n",
  answer = "\192\0\2\1",
  looks = "reset",
  logged = { "(query): WORD IN A" },
}
