--- The abilities of lunet on this machine. It tries each one, on hosts that end with the question.
local choice = require "lunet.run.choice"
local core = require "lunet.core"
local features = require "lunet.network.features"
local interfaces = require "lunet.network.interfaces"
require "lunet.network.host" -- gives hosts their methods
local link = require "lunet.network.link"
local refusal = require "lunet.network.refusal"
local rule = require "lunet.network.rule"

local can = {}

local LONG = 10 -- s; for a program that ends at once

-- The result of a call; raises if the call failed.
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

-- -- one function for each ability: it raises if lunet lacks it --------------------------------

local function try_hosts() new_host "a" end

-- The settings that isolate experiments.
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

--- All abilities, in the doctor's order.
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

-- The ability to write a setting; nil if the name is none. Writes the value that is in force already.
local function setting(name)
  if not name:find "^net%.%l[%w_%.]+$" then return nil end
  return { name = name, meaning = "a setting of hosts", try = function()
    local host, path = new_host "a", require("lunet.network.sysctl").path(name, 2)
    local value = core.read_file(host, path)
    if not value then error({ message = features.explain("sysctl", name), code = "ENOENT" }, 0) end
    check(core.write_file(host, path, value))
  end }
end

--- The names of all abilities.
---@return string[]
function can.names()
  local names = {}
  for i, ability in ipairs(can.ABILITIES) do names[i] = ability.name end
  return names
end

--- Finds an ability.
---@param name any its name, or that of a sysctl
---@return {name: string, meaning: string, try: fun()}?
function can.find(name)
  if type(name) ~= "string" then return nil end
  return choice.find(can.ABILITIES, name, "name") or setting(name)
end

-- Tries in a scope, whose end closes everything. The error is a text, or has a message and a code.
local function attempt(try)
  local ok, failure = pcall(core.scope, try)
  if ok then return true end
  if require("lunet.text.interrupt").is(failure) then error(failure, 0) end
  if type(failure) ~= "table" then failure = { message = tostring(failure) } end
  local message = failure.message or tostring(failure)
  local why, command = message:match "^(.*); to allow it: (.*)$"
  return nil, why or message, failure.code or message:match "%((%u[%u%d]+)%)" or "EOPNOTSUPP",
    failure.command or command
end

--- lunet.can, for scripts.
---@param what string
---@return true|nil
---@return string? why
---@return string? code the kernel's name of the error
---@return string? command that changes this, if there is one
function can.ask(what)
  local ability = can.find(what)
  if ability then return attempt(ability.try) end
  error(("can: one of %s, or the name of a sysctl, expected, not %s"):format(table.concat(can.names(), ", "),
    tostring(what)), 2)
end

return can
