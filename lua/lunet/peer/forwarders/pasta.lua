--- pasta, of the package passt, which has a TCP of its own: it takes the segments of a network namespace, and makes
--- connections of them.
local inside = require "lunet.peer.inside"

local SCRIPT = [[
link=$(sed -n 's/ *\(.*\):.*/\1/p' /proc/net/dev | grep -v lo | head -n 1)
exec unshare --user --map-root-user pasta --netns-only --foreground --stderr --config-net --interface $link \
  --address 192.168.77.2 --netmask 24 --gateway 192.168.77.1 -- sh -c 'echo >PLACE/ready && exec %s'
]]

return {
  packages = { "passt", "perl-base" },
  program = "pasta",
  needs = { perl = "perl-base" },
  version_of = "dpkg-query", -- Debian's pasta says "unknown version"
  version = { "-W", "-f", "${Version}", "passt" },
  device = "/dev/net/tun",
  command = function(running) return { "sh", "-c", running:fill(SCRIPT:format(inside.command(running))) } end,
  listens = false,
  delivers = { close = true, reset = true },
  logged = {},
}
