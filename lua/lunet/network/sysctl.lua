--- The settings of a host: their names and paths, how to read and write them, and the value in force if lunet cannot
--- write one.
local container = require "lunet.network.container"
local core = require "lunet.core"

local sysctl = {}

local function path_of(name) return "/proc/sys/" .. name:gsub("%.", "/") end

--- Settings of the machine, or of the host that the process runs in.
---@param names string[] "kernel.osrelease", ...
---@return table<string, string> texts the first line of each, by its name; without those that this kernel lacks
function sysctl.all_here(names)
  local paths, texts = {}, {}
  for i, name in ipairs(names) do paths[i] = path_of(name) end
  local read = core.read_files(paths)
  for i, name in ipairs(names) do texts[name] = read[paths[i]] and read[paths[i]]:match "[^\n]*" end
  return texts
end

--- A setting of the machine, or of the host that the process runs in.
---@param name string
---@return string? text its first line; nil if this kernel has no such setting
function sysctl.here(name)
  local file <close> = io.open(path_of(name))
  return file and file:read "l"
end

--- The path of a setting. Raises for names other than net.*: these belong to no host, and writing one would change the
--- machine.
---@param name string "net.ipv4.tcp_syncookies"
---@param level integer of the error
---@return string path
function sysctl.path(name, level)
  if type(name) ~= "string" or not name:match "^net[./][%w_%-./]+$" then
    error(("sysctl: a name like net.ipv4.tcp_syncookies expected, not '%s'"):format(tostring(name)), level + 1)
  end
  return path_of(name)
end

--- A value as the kernel reads it. Raises for other types.
---@param name string
---@param value string|number
---@param level integer of the error
---@return string
function sysctl.text(name, value, level)
  if type(value) == "string" then return value end
  if type(value) ~= "number" then
    error(("sysctl %s: a string or a number expected, not %s"):format(name, type(value)), level + 1)
  end
  return tostring(math.tointeger(value) or value)
end

-- The host behaves as if the hidden setting had this value: lunet tries, or looks it up in the table of features.
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
  EACCES = "nobody may read it, or nobody may write it",
  EROFS = container.read_only(),
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
  if code == "EROFS" then rest = ("%s; to allow it: %s"):format(rest, select(2, container.read_only())) end
  return nil, ("sysctl %s: %s%s"):format(what, reason, rest), code
end

local function is_same(a, b) return tostring(a):gsub("%s+", " ") == tostring(b):gsub("%s+", " ") end

--- Reads or writes a setting. It is no failure if lunet cannot write a value that is in force already.
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
  if value == nil and text and read_code == "EACCES" then -- a setting that nobody may read
    return math.tointeger(tonumber(text)) or text
  end
  if value == nil then return failure(what, name, read_message, read_code) end
  return value
end

--- Writes the settings of a host, in one visit. It is no failure if lunet cannot write a value that is already in
--- force.
---@param host lunet.host
---@param values table<string, string|number>
---@return true|nil
---@return string? message
---@return string? code
function sysctl.set_all(host, values)
  local texts = {}
  for name, value in pairs(values) do texts[sysctl.path(name, 2)] = sysctl.text(name, value, 2) end
  if not next(texts) or core.write_files(host, texts) then return true end
  for name, value in pairs(values) do -- one of them was refused: this says why, or that it is in force
    local ok, message, code = sysctl.set(host, name, sysctl.path(name, 2), sysctl.text(name, value, 2))
    if not ok then return nil, message, code end
  end
  return true
end

return sysctl
