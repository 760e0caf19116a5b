--- script/kills: kills runs with real servers at random moments: one with nginx, or every fourth time one with all that
--- the library has. argument: COUNT
local laboratory = require "spec.support.laboratory"
local listing = require "spec.support.listing"
local lunet = require "lunet"
local random = require "lunet.load.random"
local scratch = require "lunet.peer.scratch"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"

local count = math.tointeger(tonumber(arg[1]))
local stream = random.new(math.floor(lunet.now()), "kills")
local EVERY <const> = 4
-- By file, about as many seconds as a run takes.
local FROZEN <const>, LIMITS <const> = { "frozen_nginx", 2.5 }, { "server_limits --patience 0.5", 12 }

-- The kernel keeps a killed server's network namespace as long as it repeats a FIN that nobody acknowledges, since the
-- client's host has gone first: eight times, 102 s in all (tcp_orphan_retries, tcp(7); 106 to 111 s in 4 of 34 runs of
-- server_limits on Linux 6.18, and in none of 40 with that setting at 2).
local LAST_FIN <const> = 180

-- A user namespace that counts network namespaces.
local place <close> = laboratory.open(1000, true)

-- The paths of all files below a directory, "" if there are none.
local function all_in(path)
  local pipe <close> = assert(io.popen(("find '%s' -mindepth 1 -printf '%%P '"):format(path)))
  return pipe:read "a"
end

local began = lunet.now()
local left = { processes = 0, files = 0 }
for run = 1, count do
  local files, nonce = scratch.open(), tagged.new()
  local what, longest = table.unpack(run % EVERY == 0 and LIMITS or FROZEN)
  local command = "TMPDIR=%s NONCE=%s timeout -s KILL %.3f '%s' experiments/servers/%s >/dev/null 2>&1"
  place:start(command:format(files.path, nonce, longest * stream:uniform(), os.getenv "LUNET",
    (what:gsub("^%S+", "%0.lua"))))
  place:status()
  if not lunet.eventually(function() return next(tagged.all(nonce)) == nil end, BOUND) then
    left.processes = left.processes + 1
  end
  if not lunet.eventually(function() return #listing(files.path) == 0 end, BOUND) then
    left.files = left.files + 1
    print(("run %d, %s: left %s"):format(run, what, all_in(files.path)))
  end
  files:close()
  if run * 10 // count > (run - 1) * 10 // count then io.stderr:write(("%d of %d runs\n"):format(run, count)) end
end
local is_empty = pcall(place.wait_until_empty, place, LAST_FIN)
print(("%d kills: %d left processes, %d files, %s network namespaces; %.0f seconds"):format(count, left.processes,
  left.files, is_empty and "no" or "some", lunet.now() - began))
os.exit(is_empty and left.processes + left.files == 0 and 0 or 1, true)
