--- slirp4netns, which has a TCP of its own: it takes the segments of a network namespace, and makes connections of
--- them.
local inside = require "lunet.peer.inside"

local SCRIPT = [[
unshare --user --map-root-user --net %s &
while [ ! -S PLACE/clients ]; do kill -0 $! && sleep 0.02 || exit 1; done
exec slirp4netns --configure --mtu=1500 --userns-path=/proc/$!/ns/user --ready-fd=3 $! tap0 3>PLACE/ready
]]

return {
  packages = { "slirp4netns", "perl-base" },
  program = "slirp4netns",
  needs = { perl = "perl-base" },
  version = { "--version" },
  device = "/dev/net/tun",
  command = function(running) return { "sh", "-c", running:fill(SCRIPT:format(inside.command(running))) } end,
  listens = false,
  delivers = { close = true, reset = true },
  logged = {},
}
