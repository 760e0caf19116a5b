--- The lateness of the machine: a task wakes every few milliseconds and notes how late it woke at worst. A check that
--- bounds a time from above allows for it, since a busy machine is no fault of the kernel.
---
---     local machine <close> = lateness.watch()
---     ...
---     return { seconds = seconds, lateness = machine:worst() }
---
--- and in the check: `lateness.at_most("it ended", outcome.seconds, 1.1, outcome.lateness)`.
local core = require "lunet.core"
local guest = require "lunet.network.guest"
local verdict = require "lunet.run.verdict"

---@class lunet.lateness
---@field at_worst number seconds
---@field due number when its task should wake
---@field task lunet.task
---@field has_begun? boolean
local lateness = {}
lateness.__index = lateness

--- How much longer the kernel's timers may take, as a factor: its wheel is that coarse (kernel/time/timer.c).
lateness.TIMER = 9 / 8

--- How much too early a time may seem, in seconds: the kernel counts in jiffies, of up to 10 ms, and a time lies
--- between two looks at the clock.
lateness.GRAIN = 0.02

local EVERY <const> = 0.01 -- s; from one look to the next
local EVERY_VIRTUAL <const> = 0.05 -- s; a look takes long in an emulated machine, and a run may have an hour of it

--- Starts to watch, in a task of its own.
---@return lunet.lateness watch a to-be-closed value
function lateness.watch()
  local self = setmetatable({ at_worst = 0.0, due = math.huge }, lateness)
  local every = guest.is_virtual() and EVERY_VIRTUAL or EVERY
  self.task = core.spawn(function()
    while true do
      self.due = core.now() + every
      core.sleep(every)
      self:worst()
    end
  end)
  return self
end

--- Forgets the lateness so far, for example that of making hosts, which delays every task. Only the first call does: of
--- tasks that begin one after the other, a later one must not forget how late the first one was.
function lateness:begin()
  if self.has_begun then return end
  self.has_begun, self.at_worst = true, 0.0
  self.due = math.max(self.due, core.now()) -- its task may be late already
end

--- The worst lateness since the watch began, or since the first `begin`.
---@return number seconds
function lateness:worst()
  self.at_worst = math.max(self.at_worst, core.now() - self.due)
  return self.at_worst
end

--- Ends the watch.
function lateness:close()
  self.task:cancel()
  self.due = math.huge
end

lateness.__close = lateness.close

--- For checks: a time must not be longer than a bound. Ends the check as not judged if the machine's lateness may
--- account for the rest.
---@param what string the beginning of a sentence: "full: ended"
---@param seconds number
---@param most number seconds; the bound
---@param late number seconds by which the machine was late, from worst
---@param unseen? number seconds by which a program may have been late that lunet ran, which the watch does not see;
--- default 0
function lateness.at_most(what, seconds, most, late, unseen)
  if seconds <= most then return end
  if seconds <= most + late then verdict.not_judged("the machine was %g s late", late) end
  if seconds <= most + late + (unseen or 0) then
    verdict.not_judged("%s after %g s: the machine may have been late with the program", what, seconds)
  end
  error(("%s after %g s, more than %g s"):format(what, seconds, most), 0)
end

--- The same for a time that has a lower bound, too, which the grain of the clocks may seem to undercut.
---@param what string the beginning of a sentence: "full: ended"
---@param seconds number
---@param least number seconds
---@param most number seconds
---@param late number seconds by which the machine was late, from worst
---@param unseen? number as for at_most; default 0
function lateness.between(what, seconds, least, most, late, unseen)
  if seconds < least - lateness.GRAIN then error(("%s after %g s, before %g s"):format(what, seconds, least), 0) end
  lateness.at_most(what, seconds, most, late, unseen)
end

return lateness
