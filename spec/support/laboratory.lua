--- A place that counts the network namespaces in it, for an ordinary user too. It also counts those that have no
--- process and no descriptor, which /proc does not show.
---
--- It is a user namespace of its own, in which the kernel allows only so many network namespaces
--- (/proc/sys/user/max_net_namespaces, namespaces(7)). A namespace counts until the kernel has taken it down
--- (net/core/net_namespace.c, cleanup_net), also one in a user namespace below. So if the limit is two and one more can
--- be made, there was just the shell's own. Other programs on the machine, such as a second copy of this spec, do not
--- count.
local lunet = require "lunet"

local BOUND = require "spec.support.bound"

local LIMIT = "/proc/sys/user/max_net_namespaces"

local laboratory = {}
laboratory.__index = laboratory

--- Opens one. The caller closes it, by `laboratory:close()` or a <close> variable.
---@param limit integer how many network namespaces there may be in it, besides its own
---@param as_nobody? boolean run as nobody there, not as root: some servers refuse to run as root
function laboratory.open(limit, as_nobody)
  local enter = ("echo %d >%s && exec sh"):format(limit + 1, LIMIT)
  local self = setmetatable({ limit = limit }, laboratory)
  local user = as_nobody and { "--map-user=65534", "--map-group=65534", "--keep-caps" } or { "--map-root-user" }
  local words = { "unshare", "--user", "--net", stdin = "pipe", stderr = "stdout" }
  table.move(user, 1, #user, #words + 1, words)
  table.move({ "sh", "-c", enter }, 1, 3, #words + 1, words)
  self.shell = assert(lunet.exec(words))
  return self
end

--- Begins a shell command in it. Call `status` before the next one.
---@param command string
function laboratory:start(command)
  assert(self.shell.stdin:send(("(%s) </dev/null; echo status $?\n"):format(command), BOUND))
end

local function next_line(self)
  return assert(self.shell.stdout:receive("l", BOUND))
end

--- Waits until the command writes this line.
---@param wanted string
function laboratory:wait_for(wanted)
  local lines = {}
  repeat
    lines[#lines + 1] = next_line(self)
    assert(not lines[#lines]:match "^status %d+$", table.concat(lines, "\n"))
  until lines[#lines] == wanted
end

--- Waits for the end of the command.
---@return integer status
---@return string[] lines that it has written meanwhile
function laboratory:status()
  local lines = {}
  while true do
    local line = next_line(self)
    local status = line:match "^status (%d+)$"
    if status then return math.tointeger(status), lines end
    lines[#lines + 1] = line
  end
end

-- A refused attempt leaves nothing; one that succeeds a namespace that soon goes.
local function is_empty(self)
  self:start(("echo 2 >%s; unshare --net true; free=$?; echo %d >%s; exit $free"):format(LIMIT, self.limit + 1, LIMIT))
  return self:status() == 0
end

--- Waits until there is no network namespace in it but its own.
function laboratory:wait_until_empty()
  assert(lunet.eventually(function() return is_empty(self) end, BOUND))
end

--- Ends it, and what runs in it.
function laboratory:close()
  self.shell:close()
end

laboratory.__close = laboratory.close

return laboratory
