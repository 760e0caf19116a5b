--- A run as text, for a terminal or a pipe: the claim, the knobs, the timeline, the outcome, the verdict.
local interrupt = require "lunet.text.interrupt"
local queue_lines = require("lunet.tell.queues").lines
local sequence = require "lunet.tell.sequence"
local tabular = require "lunet.text.table"
local text = require "lunet.text.width"
local timeline = require "lunet.recording.timeline"
local value = require "lunet.text.value"

local MOST_ROWS <const> = 100 -- a longer timeline would hide the outcome: the story then has only its notes

local function pad(words, width) return text.left(words, width) .. "  " end

local function knob_lines(run)
  local names, settings = {}, {}
  for i, k in ipairs(run.knobs) do
    names[i] = k.name
    settings[i] = ("%s %s"):format(value.show(run.values[k.name]), k.unit)
  end
  local name_width, setting_width = text.widest(names, 0), text.widest(settings, 0)
  local lines = {}
  for i, k in ipairs(run.knobs) do
    text.add_wrapped(lines, "  " .. pad(names[i], name_width) .. pad(settings[i], setting_width), k.meaning)
  end
  return lines
end

local function lost_line(lost)
  return ("  (%d earlier events are lost: the ring holds the last ones; a new file of --trace has all)"):format(lost)
end

local function add_note(lines, note)
  lines[#lines + 1] = ""
  text.add_wrapped(lines, "  ", note)
end

-- Each event has a row. Notes go across all columns, as the story's own voice.
local function row_lines(rows, lost)
  local names, queues = {}, {}
  for _, row in ipairs(rows) do
    if row.who then names[#names + 1] = row.who end
    queues[#queues + 1] = row.queue
  end
  local who_width, queue_width = text.widest(names, 3), text.widest(queues, 5)
  local function start(ms, queue, who) return ("%9s  "):format(ms) .. pad(queue, queue_width) .. pad(who, who_width) end
  local lines = { start("ms", "queue", "who") .. "what" }
  if lost > 0 then lines[2] = lost_line(lost) end
  for _, row in ipairs(rows) do
    if row.note then
      add_note(lines, row.note)
    else
      local ms = ("%.3f"):format(row.at * 1000)
      text.add_wrapped(lines, start(ms, row.queue or "", row.who or "?"), timeline.words(row))
    end
  end
  return lines
end

local function note_lines(rows, lost)
  local notes, others = {}, 0
  for _, row in ipairs(rows) do
    if row.note then notes[#notes + 1] = row.note else others = others + 1 end
  end
  local lines = { ("  %d events, of which these are the notes; --timeline prints them all."):format(others + #notes) }
  if #notes == 0 then lines[1] = ("  %d events; --timeline prints them all."):format(others) end
  if lost > 0 then lines[2] = lost_line(lost) end
  for _, note in ipairs(notes) do add_note(lines, note) end
  return lines
end

local function add_unseen(lines, run)
  for _, sentences in ipairs { run:unseen(), run:seeds() } do
    for _, sentence in ipairs(sentences) do text.add_wrapped(lines, "  ", "(" .. sentence .. ")") end
  end
  return lines
end

local function sequence_lines(run, style)
  local drawn = style and sequence.draw(run, style)
  if drawn and run.lost > 0 then drawn[#drawn + 1] = lost_line(run.lost) end
  return drawn
end

local HEADING <const> = "Timeline (queue: depth/limit where it changed, the kernel's own numbers)\n"

local function timeline_lines(run, options)
  local rows = run:rows()
  if #rows > MOST_ROWS and not options.is_whole then
    return "Timeline\n", add_unseen(note_lines(rows, run.lost), run)
  end
  return HEADING, add_unseen(sequence_lines(run, options.sequence) or row_lines(rows, run.lost), run)
end

-- A failure of the timeline does not cost the outcome.
local function safe_timeline_lines(run, options)
  local ok, heading, rows = interrupt.pcall(timeline_lines, run, options)
  if ok then return heading, rows end
  local lines = {}
  text.add_wrapped(lines, "  ", ("(The timeline cannot be told: %s)"):format(tostring(heading):match "[^\n]*"))
  return "Timeline\n", lines
end

local function add_all(lines, more) return table.move(more, 1, #more, #lines + 1, lines) end

local function add_queues(lines, run)
  local ok, drawn = interrupt.pcall(queue_lines, run)
  if not ok or not drawn then return end
  lines[#lines + 1] = "\nQueues (how many wait to be accepted; the kernel's own numbers)\n"
  add_all(lines, drawn)
end

local function add_table(lines, name, list, columns)
  add_all(lines, { "", "  " .. text.shown(name) .. ":", "" })
  for _, line in ipairs(tabular.lines(list, columns, text.WIDTH - 2)) do
    lines[#lines + 1] = line == "" and "" or "  " .. line
  end
end

-- Tables come last, below the fields with a line of their own.
local function outcome_lines(run)
  local outcome, names = run.outcome, {}
  local keys, tables = tabular.divide(outcome)
  for i, key in ipairs(keys) do names[i] = tostring(key) end
  local width = text.widest(names, 0)
  local lines = {}
  for i, key in ipairs(keys) do
    local any, start = outcome[key], "  " .. pad(names[i], width)
    if type(any) == "table" then
      text.add_wrapped(lines, start, value.show(any))
    else
      lines[#lines + 1] = start .. value.show(any)
    end
  end
  for _, key in ipairs(tables) do add_table(lines, tostring(key), outcome[key], run.columns) end
  if #keys == 0 and #tables > 0 then table.remove(lines, 1) end
  return lines
end

local function add_verdict(lines, run)
  local words, more, figures = run:judgement()
  text.add_wrapped(lines, "", words .. (more and ": " .. more or "."))
  if figures then text.add_wrapped(lines, "", "Figures: " .. figures) end
end

local story = {}

--- The part before the run: its name, claim and knobs.
---@param run lunet.run
---@return string
function story.opening(run)
  local lines = { text.shown(run.name) .. ": the claim", "" }
  text.add_wrapped(lines, "  ", run.claim)
  if #run.knobs > 0 then
    lines[#lines + 1] = "\nKnobs\n"
    add_all(lines, knob_lines(run))
  end
  return table.concat(lines, "\n")
end

--- The part after the run: timeline, outcome and verdict.
---@param run lunet.run
---@param style? {is_whole: boolean?, sequence: table?} is_whole: print a timeline of any length; sequence: draw it in
--- this style, if possible (lunet.tell.sequence)
---@return string
function story.rest(run, style)
  local heading, rows = safe_timeline_lines(run, style or {})
  local lines = add_all({ heading }, rows)
  add_queues(lines, run)
  lines[#lines + 1] = "\nOutcome\n"
  add_all(lines, outcome_lines(run))
  lines[#lines + 1] = ""
  if run.plot then lines[#lines + 1] = text.lines_shown(tostring(run.plot)):gsub("\n*$", "\n") end
  add_verdict(lines, run)
  return table.concat(lines, "\n")
end

return story
