--- A user without rights, as whom real programs run: root's rights would make another program of them, and some refuse
--- to run as root. An ordinary user runs them as itself.
local peer_process = require "lunet.peer.process"

local nobody = {}

local function is_root()
  local status <close> = assert(io.open "/proc/self/status")
  return status:read("a"):match "\nUid:%s+%d+%s+(%d+)" == "0"
end

--- The words that run a program as a user without rights; see setpriv(1).
---@param words (string|number)[] the program and its arguments
---@return (string|number)[] words the same for an ordinary user; without the options of lunet.program for root
function nobody.words(words)
  if not is_root() then return words end
  local all = { "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups" }
  return table.move(words, 1, #words, #all + 1, all)
end

--- A program as that user, with all its files in a place: its own and its temporary ones, which a program leaves behind
--- when it is killed (gccgo's /tmp/cc*.s).
---@param words (string|number)[] the program and its arguments
---@param place lunet.scratch
---@param keeps_rights? boolean as lunet's own user instead
---@return lunet.program program its errors go to stdout
function nobody.program(words, place, keeps_rights)
  local program = keeps_rights and words or nobody.words(words)
  program.stderr = "stdout"
  program.env = { HOME = place.path, PWD = place.path, TMPDIR = place.path }
  program.cwd = place.path -- its user may not look at lunet's own
  return program
end

--- Gives a place to the user without rights, if lunet runs as root. In a run of a whole directory the place is in
--- another one of lunet's own, which must let pass.
---@param host lunet.host where the programs that do it run
---@param place lunet.scratch
function nobody.let_in(host, place)
  if not is_root() then return end
  local above = place.path:match "^(.*)/[^/]*$"
  if above:find "/lunet%-%x+$" then peer_process.finish(host:exec { "chmod", "711", above }) end
  peer_process.finish(host:exec { "chown", "nobody:nogroup", place.path })
end

return nobody
