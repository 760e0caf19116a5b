--- A real program that runs on a host with its files in a scratch directory: the common part of servers and
--- forwarders.
local needs = require "lunet.run.needs"
local nobody = require "lunet.peer.nobody"
local peer_process = require "lunet.peer.process"

---@class lunet.running
---@field description lunet.peer_description
---@field name string
---@field host lunet.host
---@field place lunet.scratch its files
---@field process lunet.process
---@field words table<string, string> what upper-case words in its files stand for
---@field printed string what it has printed so far
local running = {}
running.__index = running

local MOST <const> = 2 ^ 26 -- bytes that one look reads, since some programs print faster than they are read

--- Runs another program as the same user, such as one that makes its files. Raises what it printed if it fails.
---@param words (string|number)[] the program, as lunet.run.needs.path takes it, and its arguments
function running:run(words)
  words[1] = assert(needs.path(words[1]), words[1] .. " is missing")
  local status, text = peer_process.finish(self.host:exec(nobody.program(words, self.place)))
  if status ~= 0 then error(("%s ended with %s: %s"):format(words[1], status, text), 0) end
end

--- Writes a file into its place.
---@param name string
---@param text string upper-case words in it stand for the values in `words`; PLACE stands for the path of the place
---@return string path
function running:write(name, text) return self.place:write(name, (self:fill(text))) end

--- Puts the values in place of the upper-case words of a text.
---@param text string
---@return string
function running:fill(text) return (text:gsub("%f[%w]%u+%f[%W]", self.words)) end

--- The text of a file in its place; "" as long as there is none.
---@param name string
---@return string
function running:file(name)
  local file <close> = io.open(self.place.path .. "/" .. name)
  return file and file:read "a" or ""
end

--- Its log since it started: the text that it printed, and its file "log".
---@return string
function running:log()
  local parts, length = { self.printed }, 0
  local stdout = self.process.stdout
  while stdout and length < MOST do
    local part = stdout:receive(nil, 0)
    if not part then break end
    parts[#parts + 1], length = part, length + #part
  end
  self.printed = table.concat(parts)
  return self.printed .. self:file "log"
end

--- The words of a log, in the description's terms.
---@param log string the part of the log to look at
---@param word? string of a client's request: WORD stands for it in the patterns
---@return string said "nothing", or what the patterns captured: "200, AH00161"
function running:logged(log, word)
  local said = {}
  for _, pattern in ipairs(self.description.logged) do
    local captured = { log:match(word and (pattern:gsub("WORD", word)) or pattern) }
    if #captured > 0 then said[#said + 1] = table.concat(captured, " ") end
  end
  return #said > 0 and table.concat(said, ", ") or "nothing"
end

return running
