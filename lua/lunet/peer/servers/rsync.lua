--- rsync's daemon, which has a process for each client, and counts the clients of a module in a file.
local CONFIGURATION = [[
pid file = PLACE/pid
use chroot = no
[files]
path = PLACE
LIMIT
lock file = PLACE/lock
pre-xfer exec = echo "$RSYNC_REQUEST" >>PLACE/asked
]]

-- The oldest protocol that this program speaks with words in lines: version, module, options, names.
local BEGIN = "@RSYNCD: 29\nfiles\n"

return {
  packages = { "rsync" },
  program = "rsync",
  version = { "--version" },
  limit = function(n) return "max connections = " .. n end,
  arguments = function(running)
    return { "--daemon", "--no-detach", "--port=" .. running.port, "--address=0.0.0.0",
      "--log-file=" .. running.place.path .. "/log", "--config=" .. running:write("rsyncd.conf", CONFIGURATION) }
  end,
  holds = BEGIN,
  held = "@RSYNCD: OK\n",
  first = "@RSYNCD: 29\n",
  greets = 2,
  workers = "read",
  request = function(word) return ("%s--server\n--sender\n.\nfiles/%s\n\n"):format(BEGIN, word) end,
  answer = "@RSYNCD: OK\n....", -- and the seed of its checksums
  refusal = "@ERROR: max connections",
  evidence = function(running) return running:file "asked" end,
  logged = { "(max connections %(%d+%) reached)" },
}
