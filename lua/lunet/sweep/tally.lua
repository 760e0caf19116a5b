--- How far a sweep is: counts of its runs by state, as a sentence and as a line of progress.
local text = require "lunet.text.width"

local tally = {}
tally.__index = tally

local LINES <const> = 10 -- at most about so many, where there is no terminal
local CLEAR <const> = "\r\27[K"

---@class lunet.tally
---@field total integer runs of the plan
---@field done integer runs with an outcome that was judged
---@field holds integer those of them whose claim holds
---@field invalid integer runs that the machine disturbed
---@field failed integer

--- Counts the runs of a plan by the store.
---@param store lunet.store
---@param list table[] from plan:list
---@return lunet.tally
function tally.of(store, list)
  local self = setmetatable({ total = #list, done = 0, holds = 0, invalid = 0, failed = 0, missing = 0 }, tally)
  for _, run in ipairs(list) do
    local state, _, verdict = store:state(run.name)
    self[state] = self[state] + 1
    if verdict == "holds" then self.holds = self.holds + 1 end
  end
  return self
end

--- "3 of 4 runs done: 2 hold, 1 does not; 1 invalid, 0 failed, 0 missing".
---@return string
function tally:sentence()
  local not_so = self.done - self.holds
  return ("%d of %d runs done: %d hold, %d %s not; %d invalid, %d failed, %d missing"):format(self.done, self.total,
    self.holds, not_so, not_so == 1 and "does" or "do", self.invalid, self.failed, self.missing)
end

-- -- while it runs ---------------------------------------------------------------------------

--- A line of progress for runs that are about to be done.
---@param due table[] the runs
---@param began number seconds of lunet.now()
---@param is_terminal boolean whether standard error is one
function tally:begin(due, began, is_terminal)
  self.due, self.began, self.is_terminal, self.ended, self.lines = #due, began, is_terminal, 0, 0
end

--- "40 s", "12 min" or "3.0 h".
---@param seconds number
---@return string
function tally.duration(seconds)
  if seconds < 120 then return ("%.0f s"):format(seconds) end
  if seconds < 7200 then return ("%.0f min"):format(seconds / 60) end
  return ("%.1f h"):format(seconds / 3600)
end

--- Counts a run that has ended, and tells on standard error how far all are: at each run on a terminal, else at each
--- tenth of them.
---@param was string the state that it had before
---@param answer {state: string, verdict: string}
---@param now number seconds of lunet.now()
function tally:count(was, answer, now)
  self[was] = self[was] - 1
  self[answer.state] = self[answer.state] + 1 -- which may be the same
  if answer.verdict == "holds" then self.holds = self.holds + 1 end
  self.ended = self.ended + 1
  local rate = self.ended / math.max(now - self.began, 1e-9)
  local line = ("%d of %d runs, %.3g/s, %s left: %d hold, %d invalid, %d failed"):format(self.done + self.invalid
    + self.failed, self.total, rate, tally.duration((self.due - self.ended) / rate), self.holds, self.invalid,
    self.failed)
  if self.is_terminal then
    io.stderr:write(CLEAR, text.shown(line))
  elseif self.ended * LINES // self.due > self.lines then
    self.lines = self.ended * LINES // self.due
    io.stderr:write("lunet: ", text.shown(line), "\n")
  end
end

--- Takes the line of progress away.
function tally:finish()
  if self.is_terminal then io.stderr:write(CLEAR) end
end

return tally
