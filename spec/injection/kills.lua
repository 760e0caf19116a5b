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

-- A run in a user namespace that counts network namespaces: they are gone when no more can be found.
local place <close> = laboratory.open(100, true)

-- The paths of all files below a directory, "" if there are none.
local function all_in(path)
  local pipe <close> = assert(io.popen(("find '%s' -mindepth 1 -printf '%%P '"):format(path)))
  return pipe:read "a"
end

local began = lunet.now()
local left = { processes = 0, namespaces = 0, files = 0 }
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
  if not pcall(place.wait_until_empty, place) then
    left.namespaces = left.namespaces + 1
    print(("run %d, %s: left network namespaces"):format(run, what))
  end
  files:close()
  if run * 10 // count > (run - 1) * 10 // count then io.stderr:write(("%d of %d runs\n"):format(run, count)) end
end
print(("%d kills: %d left processes, %d network namespaces, %d files; %.0f seconds"):format(count, left.processes,
  left.namespaces, left.files, lunet.now() - began))
os.exit(left.processes + left.namespaces + left.files == 0 and 0 or 1, true)
