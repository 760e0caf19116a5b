--- What lunet can do here, found by doing it: on hosts of its own, which end with the question.
local core = require "lunet.core"
local features = require "lunet.network.features"
local interfaces = require "lunet.network.interfaces"
require "lunet.network.host" -- which gives hosts their methods
local link = require "lunet.network.link"
local refusal = require "lunet.network.refusal"
local rule = require "lunet.network.rule"

local can = {}

local LONG = 10 -- s; for a program that ends at once

-- What a call returned, unless it failed.
local function check(ok, message, code, command)
  if not ok then error({ message = message, code = code, command = command }, 0) end
  return ok
end

local function new_host(name)
  local host, message, code = core.host(name)
  if not host then error({ message = refusal.explain(code) or message, code = code,
    command = select(2, refusal.explain(code)) }, 0) end
  return host
end

-- -- one function for each ability: raises unless it is there ----------------------------------

local function try_hosts() new_host "a" end

-- To every host its own value, and whether it takes that: for what experiments are isolated by.
local function try_sysctls()
  local host = new_host "a"
  for name, value in pairs(require("lunet.run.isolation").SYSCTLS) do check(host:sysctl(name, value)) end
end

local function try_links() link.join(new_host "a", new_host "b") end

local function try_delay() link.join(new_host "a", new_host "b", { delay = 0.001 }) end

local function try_ipv6()
  local a, b = new_host "a", new_host "b"
  check(interfaces.have_ipv6(a))
  local joined = link.join(a, b)
  local listener = check(a:listen { address = joined:address(a, "ipv6"), backlog = 1 })
  check(b:connect(listener, LONG))
end

local function try_drop() check(rule.drop(new_host "a", { reject = "reset", direction = "both", first = 1 })) end

local function try_capture() check(core.capture(new_host "a", 1)) end

local function try_programs()
  local program = check(new_host("a"):exec { "true" })
  local status, message, code = program:wait(LONG)
  if status ~= 0 then error({ message = message or ("true(1) ended with %s"):format(status), code = code }, 0) end
end

--- What can be asked for, in the order in which the doctor tells it.
---@type {name: string, meaning: string, try: fun()}[]
can.ABILITIES = {
  { name = "hosts", meaning = "network stacks of their own", try = try_hosts },
  { name = "sysctls", meaning = "settings of hosts", try = try_sysctls },
  { name = "links", meaning = "links between hosts", try = try_links },
  { name = "delay", meaning = "links with a delay", try = try_delay },
  { name = "ipv6", meaning = "IPv6 on hosts", try = try_ipv6 },
  { name = "drop", meaning = "rules that lose or reject segments", try = try_drop },
  { name = "capture", meaning = "the segments that pass", try = try_capture },
  { name = "programs", meaning = "programs on hosts", try = try_programs },
}

local function find(name)
  for _, ability in ipairs(can.ABILITIES) do
    if ability.name == name then return ability.try end
  end
  if not name:find "^net%.%l[%w_%.]+$" then return nil end
  -- A setting: whether every value of it can be made, of which the one in force is one.
  return function()
    local host, path = new_host "a", require("lunet.network.sysctl").path(name, 2)
    local value = core.read_file(host, path)
    if not value then error({ message = features.explain("sysctl", name), code = "ENOENT" }, 0) end
    check(core.write_file(host, path, value))
  end
end

-- In a scope, whose end closes what was made. What was raised is a text, or has a message and a code.
local function attempt(try)
  local ok, failure = pcall(core.scope, try)
  if ok then return true end
  if require("lunet.text.interrupt").is(failure) then error(failure, 0) end
  if type(failure) ~= "table" then failure = { message = tostring(failure) } end
  local message = failure.message or tostring(failure)
  return nil, message, failure.code or message:match "%((%u[%u%d]+)%)" or "EOPNOTSUPP", failure.command
end

--- Whether something can be asked for.
---@param what any
---@return boolean
function can.knows(what) return type(what) == "string" and find(what) ~= nil end

--- What lunet.can does.
---@param what string
---@return true|nil
---@return string? why
---@return string? code the kernel's name of the error
---@return string? command that changes it, if there is one
function can.ask(what)
  if not can.knows(what) then
    local names = {}
    for i, ability in ipairs(can.ABILITIES) do names[i] = ability.name end
    error(("can: one of %s, or the name of a sysctl, expected, not %s"):format(table.concat(names, ", "),
      tostring(what)), 2)
  end
  return attempt(find(what))
end

return can
