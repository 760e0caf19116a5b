--- An `it` for experiments, and a way to run them in it:
---
---     local it, judge = require "spec.support.patient"(it)
---
--- If the machine disturbs a run, the run's message names the machine. The spec then waits for a quieter machine and
--- begins again. If the machine disturbs every attempt, the spec prints a line and passes: it can ask nothing of such
--- runs. It fails if a claim did not hold, even if the message names the machine. A spec that fails while lunet's own
--- tasks are late is tried again, too, and the last attempt decides.
local lateness = require "lunet.run.lateness"
local lunet = require "lunet"

local ATTEMPTS <const> = 5
local LOOK <const>, QUIET <const>, LONGEST <const> = 0.2, 0.02, 6 -- s
local LATE <const> = 0.1 -- s; the specs' own times are longer

-- Waits until the machine lets tasks run in time, or for some seconds.
local function wait_until_quiet()
  lunet.eventually(function()
    local machine <close> = lateness.watch()
    lunet.sleep(LOOK)
    return machine:worst() < QUIET
  end, LONGEST)
end

local function message_of(failure) return tostring(type(failure) == "table" and failure.message or failure) end

local function disturbance(message) return message:match "[^\n]*%f[%w]the machine%f[%W][^\n]*" end

-- Whether the spec failed because it had no verdict. luassert shows that as nil, `judge` and records as the word.
local function was_not_judged(message) return message:find "%(nil%)" ~= nil or message:find "not judged" ~= nil end

--- Runs an experiment. Raises if the machine kept it from judging its claim.
---@param run fun(knobs: table?): table, boolean?, string? an experiment
---@param knobs? table
---@return table outcome
---@return boolean? holds
---@return string? why
local function judge(run, knobs)
  local outcome, holds, why = run(knobs)
  if holds == nil and disturbance(why) then error("not judged: " .. why, 0) end
  return outcome, holds, why
end

-- The scope around it ends what a failed attempt leaves: a task that kept lunet busy would disturb all specs after it.
local function attempt(body)
  local before = #lunet.open_handles()
  body()
  assert(#lunet.open_handles() == before, "the spec leaves handles open")
end

---@param it fun(description: string, body: fun()) busted's
---@param wait? fun() called between attempts; default: waits until the machine is quiet, or for 6 s
---@param watch? fun(): lunet.lateness default: lateness.watch
---@return fun(description: string, body: fun()) it
---@return function judge
return function(it, wait, watch)
  return function(description, body)
    it(description, function()
      local why
      for number = 1, ATTEMPTS do
        local machine <close> = (watch or lateness.watch)()
        local ok, failure = pcall(lunet.scope, attempt, body)
        if ok then return end
        local message = message_of(failure)
        why = disturbance(message)
        local is_excused = why and (number < ATTEMPTS or was_not_judged(message))
        local is_worth_more = number < ATTEMPTS and machine:worst() >= LATE
        if not is_excused and not is_worth_more then error(failure, 0) end
        if number < ATTEMPTS then (wait or wait_until_quiet)() end
      end
      io.stderr:write("not judged: ", (why:gsub("^not judged: ", "")), "\n")
    end)
  end, judge
end
