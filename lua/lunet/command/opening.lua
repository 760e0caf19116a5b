--- Opens a report in the browser: `lunet FILE --open`.
---
--- Unless --report names its file, the report is in the user's cache: $XDG_CACHE_HOME/lunet/reports or
--- ~/.cache/lunet/reports. lunet cannot know when the browser has read it, or whether the reader comes back to it. It
--- keeps the ten newest reports, and removes older ones before the next run.
---
--- During a run of an ordinary user's, lunet is in a user namespace and on another network stack. A browser there could
--- reach neither its display nor its other windows. So a shell that starts before the run waits for the report, and
--- starts the browser where lunet began.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local invocation = require "lunet.command.invocation"
local needs = require "lunet.run.needs"
local shell = require "lunet.text.shell"
local user_cache = require "lunet.files.user_cache"

local lfs = dependency "lfs"

---@class lunet.opening
---@field path string the report's file
---@field waiter? file* the shell's input; nil once it is closed
---@field browser string its program
local opening = {}
opening.__index = opening

local KEPT <const> = 10 -- reports in the cache
local NAMED <const> = "%-%d+%.html$" -- those that lunet made

-- The shell's last words start the browser. A browser that goes on is at work; one that ends within 2 s tells by its
-- status whether it could open the page. Without a line the run has no report, or lunet was killed.
local WAITER <const> = [[
read -r line || exit 0
setsid "$@" </dev/null >/dev/null 2>&1 &
tries=0
while kill -0 $! 2>/dev/null; do
  tries=$((tries + 1))
  [ $tries -gt 20 ] && exit 0
  sleep 0.1
done
wait $!
]]

-- -- the browser ---------------------------------------------------------------------------------

-- The words that open a page: those of a command of $BROWSER, with "%s" for the page, or at its end.
local function words_of(command, page)
  local words, has_page = {}, false
  for word in command:gmatch "%S+" do
    local put, count = word:gsub("%%s", (page:gsub("%%", "%%%%")))
    words[#words + 1], has_page = put, has_page or count > 0
  end
  if not has_page then words[#words + 1] = page end
  return words
end

-- The first command of $BROWSER, a list with colons, whose program is here; else xdg-open.
local function find_browser(page)
  local wanted = os.getenv "BROWSER" or ""
  for command in (wanted .. ":xdg-open"):gmatch "[^:]+" do
    local words = words_of(command, page)
    if needs.path(words[1]) then return words end
  end
  return nil, ("there is no browser: %s, and xdg-open is missing (install the package xdg-utils)"):format(
    wanted == "" and "BROWSER is not set" or ("BROWSER is '%s', which is missing"):format(wanted))
end

-- -- the report ----------------------------------------------------------------------------------

-- Removes all reports but the newest ones.
local function remove_old(directory)
  local reports = {}
  for name in lfs.dir(directory) do
    local changed = name:find(NAMED) and lfs.symlinkattributes(directory .. "/" .. name, "modification")
    if changed then reports[#reports + 1] = { path = directory .. "/" .. name, changed = changed } end
  end
  table.sort(reports, function(a, b)
    if a.changed ~= b.changed then return a.changed > b.changed end
    return a.path > b.path
  end)
  for i = KEPT, #reports do os.remove(reports[i].path) end -- a failure leaves a file, and the next time is soon
end

-- The path of a new report in the cache.
local function new_path(name)
  local directory, why = user_cache.path "reports"
  if not directory then return nil, why end
  local is_made
  is_made, why = core.make_directory(directory)
  if not is_made then return nil, why end
  remove_old(directory)
  return ("%s/%s-%d.html"):format(directory, name, math.floor(core.wall_now() * 1e6))
end

--- Prepares the opening of a report, before the run.
---@param path? string the report's file, if the user names one
---@param name string the experiment's
---@return lunet.opening? a to-be-closed value; its `path` is the report's file
---@return string? why not
function opening.prepare(path, name)
  local chosen, why
  if path then chosen = invocation.absolute(path) else chosen, why = new_path(name) end
  if not chosen then return nil, why end
  local browser, missing = find_browser(chosen)
  if not browser then return nil, missing end
  local waiter
  waiter, why = io.popen(shell.line { "exec", "sh", "-c", WAITER, "lunet", table.unpack(browser) }, "w")
  if not waiter then return nil, why end
  return setmetatable({ path = chosen, waiter = waiter, browser = browser[1] }, opening)
end

--- Opens the report, which is there now.
---@return true?
---@return string? why not
function opening:open()
  self.waiter:write "open\n"
  local ok, _, status = self:close()
  if ok then return true end
  return nil, ("%s ended with status %s; the report is %s"):format(self.browser, status, self.path)
end

--- Opens nothing. Idempotent.
function opening:close()
  local waiter = self.waiter
  self.waiter = nil
  if waiter then return waiter:close() end
end

opening.__close = opening.close

return opening
