--- PHP's FastCGI process manager with processes whose number does not change.
local options = require "lunet.text.options"

local base = require "lunet.peer.servers.php_fpm"

return options.merged(base, {
  handed = "taken",
  status = {
    request = base.ask_status,
    says = "idle processes: +%d+\nactive processes: +%d+",
  },
  graceful = { stop = "SIGQUIT", reload = "SIGUSR2" },
})
