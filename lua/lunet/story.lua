--- A run as text, for a terminal or a pipe: the claim, the knobs, the timeline, the outcome, the
--- verdict.
local timeline = require "lunet.timeline"

local WIDTH = 80

local function sorted_keys(values)
  local keys = {}
  for key in pairs(values) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then return a < b end
    return type(a) == "number"
  end)
  return keys
end

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function quote(text)
  local special = utf8.len(text) and "[%c\"\\]" or "[%c\"\\\x80-\xff]"
  return '"' .. text:gsub(special, function(c) return ESCAPES[c] or ("\\x%02x"):format(c:byte()) end) .. '"'
end

local function show(value)
  if type(value) == "string" then return quote(value) end
  if math.type(value) == "float" then return ("%.6g"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for _, key in ipairs(sorted_keys(value)) do
    local name = key == #parts + 1 and "" or math.type(key) and ("[%d] = "):format(key) or key .. " = "
    parts[#parts + 1] = name .. show(value[key])
  end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

--- Breaks a text into lines of at most `width` characters, at spaces.
local function wrap(text, width)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    if #line > 0 and #line + 1 + #word > width then
      lines[#lines + 1] = line
      line = ""
    end
    line = #line > 0 and line .. " " .. word or word
  end
  lines[#lines + 1] = line
  return lines
end

local LEAST = 20 -- columns for the text of a row, however wide what stands before it

--- Adds a row to lines: what it starts with, then the text, broken at spaces and indented alike.
local function add_wrapped(lines, start, text)
  for _, part in ipairs(wrap(text, math.max(WIDTH - #start, LEAST))) do
    lines[#lines + 1] = start .. part
    start = (" "):rep(#start)
  end
end

local function widest(texts, least)
  for _, text in ipairs(texts) do least = math.max(least, #text) end
  return least
end

local function pad(text, width) return text .. (" "):rep(width - #text) .. "  " end

local function knob_lines(knobs, values)
  local names, settings = {}, {}
  for i, k in ipairs(knobs) do
    names[i] = k.name
    settings[i] = ("%s %s"):format(show(values[k.name]), k.unit)
  end
  local name_width, setting_width = widest(names, 0), widest(settings, 0)
  local lines = {}
  for i, k in ipairs(knobs) do
    add_wrapped(lines, "  " .. pad(names[i], name_width) .. pad(settings[i], setting_width), k.meaning)
  end
  return lines
end

-- One row an event; notes go across, as the story's own voice.
local function timeline_lines(events, lost)
  local lines = timeline.lines(events)
  local names, queues = {}, {}
  for _, line in ipairs(lines) do
    names[#names + 1] = line.who
    queues[#queues + 1] = line.queue
  end
  local who_width, queue_width = widest(names, 3), widest(queues, 5)
  local function row(ms, queue, who) return ("%9s  "):format(ms) .. pad(queue, queue_width) .. pad(who, who_width) end
  local texts = { row("ms", "queue", "who") .. "what" }
  if lost > 0 then texts[2] = ("  (%d earlier events are lost: the ring holds the last ones)"):format(lost) end
  for _, line in ipairs(lines) do
    if line.note then
      texts[#texts + 1] = ""
      add_wrapped(texts, "  ", line.note)
    else
      add_wrapped(texts, row(("%.3f"):format(line.at * 1000), line.queue or "", line.who), line.what)
    end
  end
  return texts
end

local function outcome_lines(outcome)
  local keys = sorted_keys(outcome)
  local names = {}
  for i, key in ipairs(keys) do names[i] = tostring(key) end
  local width = widest(names, 0)
  local lines = {}
  for i, key in ipairs(keys) do lines[i] = "  " .. pad(names[i], width) .. show(outcome[key]) end
  return lines
end

local story = {}

--- What is known before the run: its name, claim and knobs.
---@return string
function story.opening(name, experiment, values)
  local lines = { name .. ": the claim", "" }
  add_wrapped(lines, "  ", experiment.claim)
  if #experiment.knobs > 0 then
    lines[#lines + 1] = "\nKnobs\n"
    local knobs = knob_lines(experiment.knobs, values)
    table.move(knobs, 1, #knobs, #lines + 1, lines)
  end
  return table.concat(lines, "\n")
end

--- What the run showed.
---@return string
function story.rest(run)
  local lines = { "Timeline (queue: depth/limit where it changed, the kernel's own numbers)\n" }
  local function add(more) table.move(more, 1, #more, #lines + 1, lines) end
  add(timeline_lines(run.events, run.lost))
  add { "\nOutcome\n" }
  add(outcome_lines(run.outcome))
  add { "" }
  add_wrapped(lines, "", run.holds and "The claim holds." or "The claim does not hold: " .. run.why)
  return table.concat(lines, "\n")
end

return story
