--- Parses Lua by luacheck's own parser, which Debian installs beside the modules of Lua 5.1.
local syntax = {}

local PLACE <const> = "/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua"

local function load_parser()
  local before = package.path
  package.path = before .. ";" .. PLACE
  local _restore <close> = setmetatable({}, { __close = function() package.path = before end })
  return require "luacheck.decoder", require "luacheck.parser"
end

--- Parses a chunk.
---@param text string
---@return table|nil tree nodes with a tag each, as luacheck.parser describes them
---@return string? message
function syntax.parse(text)
  local decoder, parser = load_parser()
  local ok, tree = pcall(parser.parse, decoder.decode(text), {}, {})
  if ok then return tree end
  return nil, type(tree) == "table" and tree.msg or tostring(tree)
end

return syntax
