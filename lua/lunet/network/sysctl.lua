--- The settings of a host: how one is named, read and written, and what is in force where one cannot be made.
local core = require "lunet.core"

local sysctl = {}

--- Where the kernel shows it. Raises for names other than net.*: those belong to no host, and to write one would
--- change the machine.
---@param name string "net.ipv4.tcp_syncookies"
---@param level integer at which it raises
---@return string path
function sysctl.path(name, level)
  if type(name) ~= "string" or not name:match "^net[./][%w_%-./]+$" then
    error(("sysctl: a name like net.ipv4.tcp_syncookies expected, not '%s'"):format(tostring(name)), level + 1)
  end
  return "/proc/sys/" .. name:gsub("%.", "/")
end

--- A value as the kernel reads it. Raises if it is none.
---@param name string
---@param value string|number
---@param level integer at which it raises
---@return string
function sysctl.text(name, value, level)
  if type(value) == "string" then return value end
  if type(value) ~= "number" then
    error(("sysctl %s: a string or a number expected, not %s"):format(name, type(value)), level + 1)
  end
  return tostring(math.tointeger(value) or value)
end

-- As which value the host behaves, though it does not show the setting: by trying, or by the table of features.
local function value_unseen(host, name)
  local row = require("lunet.network.features").find("sysctl", name:gsub("/", "."))
  if not row then return nil end
  if row.measure then return row.measure(host) end
  return row.absent
end

--- The value in force.
---@param host lunet.host
---@param name string
---@param path string
---@return string|integer|nil value
---@return string? message
---@return string? code
function sysctl.read(host, name, path)
  local text, message, code = core.read_file(host, path)
  if text then
    text = text:gsub("\n$", "")
    return math.tointeger(tonumber(text)) or text
  end
  local unseen = code == "ENOENT" and value_unseen(host, name)
  if unseen then return unseen end
  return nil, message, code
end

local reasons = {
  EINVAL = "the kernel refuses this value",
  EACCES = "not to be read, or not to be written",
  EROFS = "/proc/sys is mounted to be read only, as Docker does",
}

local function failure(what, name, message, code, in_force)
  local features = require "lunet.network.features"
  local reason = reasons[code] and ("%s (%s)"):format(reasons[code], code) or message
  if code == "ENOENT" then
    local known = features.find("sysctl", name:gsub("/", "."))
    reason = ("%s (ENOENT)"):format(known and features.explain("sysctl", name:gsub("/", "."))
      or "this host has no such setting")
  end
  local rest = in_force and ("; %s is in force"):format(in_force) or ""
  if in_force and code ~= "ENOENT" then rest = ("%s on Linux %s"):format(rest, features.release()) end
  return nil, ("sysctl %s: %s%s"):format(what, reason, rest), code
end

local function is_same(a, b) return tostring(a):gsub("%s+", " ") == tostring(b):gsub("%s+", " ") end

--- Reads or writes one. What cannot be written, and is in force already, is no failure.
---@param host lunet.host
---@param name string
---@param path string
---@param text? string
---@return string|number|nil value the one in force
---@return string? message
---@return string? code
function sysctl.set(host, name, path, text)
  local written, message, code = true, nil, nil
  if text then written, message, code = core.write_file(host, path, text) end
  local value, read_message, read_code = sysctl.read(host, name, path)
  local what = text and ("%s = %s"):format(name, text) or name
  if not written then
    if value and is_same(value, text) then return value end
    return failure(what, name, message, code, text and code ~= "EINVAL" and value)
  end
  if value == nil and text and read_code == "EACCES" then -- some can only be written
    return math.tointeger(tonumber(text)) or text
  end
  if value == nil then return failure(what, name, read_message, read_code) end
  return value
end

return sysctl
