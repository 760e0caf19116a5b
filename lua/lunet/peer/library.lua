--- The descriptions of real programs. A file lua/lunet/peer/servers/NAME.lua describes a server; clients and forwarders
--- have folders of their own. This module finds the descriptions of one kind, and the programs that they need.
---
---     local server = library.open "server"
---     print(table.concat(server.names(), ", "))
---     print(server.version "memcached")
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local peer_process = require "lunet.peer.process"

local library = {}

local DIRECTORY = debug.getinfo(1, "S").source:match "^@(.*)library%.lua$"

--- The fields that every description has.
---@class lunet.peer_description
---@field packages string[] the Debian packages that bring the program
---@field program string as lunet.run.needs.path takes it
---@field needs? table<string, string> more programs, or files, that it needs; the package of each
---@field version string[]|fun(path: string): string[] the arguments that make the program tell its version; or a
--- function of the program's path that returns all words

--- The descriptions of one kind of program.
---@class lunet.peer_library
---@field names fun(): string[] the names of all that are described, in order
---@field describe fun(name: string): lunet.peer_description, string a description by its name, or by the path of a file
--- that returns one, and its name. Raises if there is none
---@field needs fun(names: string[]): table<string, string> programs and their packages, as an experiment's `needs`.
--- Raises for a name that there is not
---@field find_all fun(names: string[]): true|nil, string? whether what they need is here; else a message that says what
--- to install
---@field version fun(name: string): string the version that a program tells: "1.6.18"

-- The names of the files in a folder.
local function names_in(folder)
  local names = {}
  for name in require("lfs").dir(DIRECTORY .. folder) do names[#names + 1] = name:match "^([^.].*)%.lua$" end
  table.sort(names)
  return names
end

local function describe(kind, name)
  if name:find "/" then return dofile(name), (name:match "([^/]+)%.lua$") end
  local is_there, description = pcall(require, ("lunet.peer.%ss.%s"):format(kind, name))
  if is_there then return description, name end
  if not description:find "^module '[^']*' not found" then error(description, 0) end
  local known = table.concat(names_in(kind .. "s"), ", ")
  error(("there is no %s '%s': %s, or the path of a file"):format(kind, name, known), 0)
end

local function tell_version(name, description)
  local path, version = needs.path(description.program), description.version
  local words = type(version) == "function" and version(path) or { path, table.unpack(version) }
  words.stderr = "stdout"
  local _, text = peer_process.finish(lunet.exec(words))
  return text:match "%d+%.%d+[%w.]*" or error(("%s tells no version: %s"):format(name, text), 0)
end

--- The descriptions of a kind, in the folder KINDs beside this file. More functions may be added to the table.
---@param kind "server"|"client"|"forwarder"|"pool"
---@return lunet.peer_library
function library.open(kind)
  local self = {}

  function self.names() return names_in(kind .. "s") end

  function self.describe(name) return describe(kind, name) end

  function self.needs(names)
    local programs = {}
    for _, name in ipairs(names) do
      local description = describe(kind, name)
      programs[description.program] = table.concat(description.packages, ", ")
      for path, package in pairs(description.needs or {}) do programs[path] = package end
    end
    return programs
  end

  function self.find_all(names) return needs.find(self.needs(names)) end

  function self.version(name) return tell_version(name, (describe(kind, name))) end

  return self
end

return library
