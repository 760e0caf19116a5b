--- A run of a function as an experiment, with its segments, and its timeline as sentences.
local experiment = require "lunet.experiment"
local timeline = require "lunet.recording.timeline"

--- Runs it.
---@param fn fun(): table|nil the run; its result is the outcome
---@return table run as from experiment:execute
---@return string[] sentences the timeline, without what the kernel counted
return function(fn)
  local declared = experiment { claim = "", run = function() return fn() or {} end, check = function() end }
  local run = declared:execute({}, { record = "segments" })
  local sentences = {}
  for _, line in ipairs(run:rows()) do
    if not line.is_kernel then sentences[#sentences + 1] = timeline.sentence(line) end
  end
  return run, sentences
end
