--- The field guide: what real programs do with clients that wait or have gone, as a page of HTML and one of Markdown.
--- All cells come from the records of experiments.
---
---     guide.write("doc/field-guide", "doc")
---
--- `script/field-guide` does that.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local guide_markdown = require "lunet.report.guide_markdown"
local guide_page = require "lunet.report.guide_page"
local judge = require "lunet.run.judge"
local options = require "lunet.text.options"
local record = require "lunet.run.record"
local run = require "lunet.run.run"
local sections = require "lunet.report.guide_sections"
local shell = require "lunet.text.shell"
local value = require "lunet.text.value"

local guide = {}

-- -- records -----------------------------------------------------------------------------------

local function add(records, path, one)
  if type(one) ~= "table" or type(one.experiment) ~= "string" or type(one.verdict) ~= "string" then
    error(path .. ": this is no record of a run", 0)
  end
  if one.format ~= record.FORMAT then
    error(("%s: a record of format %s, not %d"):format(path, tostring(one.format), record.FORMAT), 0)
  end
  records[#records + 1] = { path = path, record = one }
end

---@class lunet.guide_record
---@field path string
---@field record table

--- Reads the records in the files *.json of a directory: one in each, or a list of them. Raises an error that names the
--- file if one is broken.
---@param directory string
---@return lunet.guide_record[]
function guide.read(directory)
  local lfs, dkjson = dependency "lfs", dependency "dkjson"
  if lfs.attributes(directory, "mode") ~= "directory" then error(directory .. ": there is no such directory", 0) end
  local names, records = {}, {}
  for name in lfs.dir(directory) do
    if name:find "^[^.].*%.json$" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local path = directory .. "/" .. name
    local file <close> = assert(io.open(path))
    local data, _, why = dkjson.decode(file:read "a")
    if type(data) ~= "table" then error(("%s: this is no JSON: %s"):format(path, why or "no object"), 0) end
    for _, one in ipairs(data.experiment and { data } or data[1] and data or { data }) do add(records, path, one) end
  end
  return records
end

-- -- rows --------------------------------------------------------------------------------------

---@class lunet.guide_row
---@field name string the program and its version
---@field id string unlike those of the other rows
---@field cells string[] one for each column
---@field hurts boolean whether it hurts at all
---@field command string that reproduces the row
---@field again string the id of that command

local function cell_of(any)
  if any == nil then return "" end
  if type(any) == "boolean" then return any and "yes" or "no" end
  if math.type(any) ~= "float" then return tostring(any) end
  return (any >= 100 and "%.0f" or any >= 10 and "%.1f" or "%.2f"):format(any)
end

-- The words that run the experiment once more: the record's knobs that are not the defaults, and those of the row.
local function command_of(section, knobs, defaults, row)
  local own, words = {}, { "script/run", section.file }
  for knob, any in pairs(section.same or {}) do own[knob] = any end
  for knob, field in pairs(section.knobs) do own[knob] = row[field] end
  for _, name in ipairs(value.sorted_keys(knobs)) do
    local wanted = own[name] or knobs[name]
    if own[name] or defaults[name] ~= wanted then
      words[#words + 1] = "--" .. name
      words[#words + 1] = math.type(wanted) == "float" and ("%.14g"):format(wanted) or tostring(wanted)
    end
  end
  return shell.line(words)
end

-- A field of another row of the list: that row has the same fields `alike`, and those of `joined`.
local function join(section, list, row, joined)
  for _, other in ipairs(list) do
    local fits = true
    for _, field in ipairs(section.alike) do fits = fits and other[field] == row[field] end
    for field, wanted in pairs(joined) do fits = fits and (field == 1 or other[field] == wanted) end
    if fits then return other[joined[1]] end
  end
  return nil
end

-- The rows that the section shows: two lists of the same rows as one.
local function rows_of(section, found)
  local outcome = found.record.outcome
  local list, also = outcome[section.list], section.also and outcome[section.also] or {}
  if type(list) ~= "table" then error(("%s: its outcome has no %s"):format(found.path, section.list), 0) end
  local rows = {}
  for i, one in ipairs(list) do
    local row = setmetatable({}, { __index = function(_, field)
      local any = one[field]
      if any == nil and also[i] then any = also[i][field] end
      local joined = any == nil and section.joined and section.joined[field]
      if joined then any = join(section, list, one, joined) end
      return any
    end })
    if not section.where or section.where(row) then rows[#rows + 1] = row end
  end
  return rows
end

-- A field that no row has is a mistake of the section, or a record of another version.
local function check_fields(section, found, rows)
  local fields = table.move(section.program, 1, #section.program, 1, {})
  for _, column in ipairs(section.columns) do fields[#fields + 1] = column[1] end
  for _, field in pairs(section.knobs) do fields[#fields + 1] = field end
  for _, field in ipairs(fields) do
    local is_there = #rows == 0
    for _, row in ipairs(rows) do is_there = is_there or row[field] ~= nil end
    if not is_there then error(("%s: no row of %s has the field %s"):format(found.path, section.list, field), 0) end
  end
end

local function name_of(section, row)
  local words = {}
  for i, field in ipairs(section.program) do words[i] = cell_of(row[field]) end
  return table.concat(words, " ")
end

local function sort(rows, section)
  local function key(row) return name_of(section, row):lower() end
  local places = {}
  for i, row in ipairs(rows) do places[row] = i end
  table.sort(rows, function(a, b)
    local x, y = section.hurts[2](a), section.hurts[2](b)
    if x ~= y then return x > y end
    if key(a) ~= key(b) then return key(a) < key(b) end
    return places[a] < places[b]
  end)
end

local function make_rows(section, number, found, defaults)
  local rows, made = rows_of(section, found), {}
  check_fields(section, found, rows)
  sort(rows, section)
  for i, row in ipairs(rows) do
    local cells = {}
    for k, column in ipairs(section.columns) do cells[k] = cell_of(row[column[1]]) end
    made[i] = { name = name_of(section, row), id = ("row-%d-%d"):format(number, i), cells = cells,
      hurts = section.hurts[2](row) > 0,
      command = command_of(section, found.record.knobs, defaults, row) }
  end
  return made
end

-- -- the guide -----------------------------------------------------------------------------------

--- A section with its rows; the fields of lunet.guide_section, too.
---@class lunet.guide_part
---@field section lunet.guide_section
---@field id string
---@field rows? lunet.guide_row[] none if it was not run
---@field missing? string why there are none
---@field verdict? string of the run, with the reason if the claim does not hold
---@field kernel? string
---@field lunet? string version

local function part_of(section, number, found, defaults)
  local part = { section = section, id = "section-" .. number }
  if not found then
    part.missing = ("%s was not run."):format(section.experiment)
    return part
  end
  local one = found.record
  part.verdict = one.verdict .. (one.why and ": " .. one.why or "")
  part.kernel = one.environment and one.environment.kernel
  part.lunet = one.environment and one.environment.lunet
  if not one.outcome then
    part.missing = ("%s %s"):format(section.experiment, part.verdict)
  else
    part.rows = make_rows(section, number, found, defaults)
  end
  return part
end

-- Rows of several sections may have one command.
local function number_commands(parts)
  local ids, count = {}, 0
  for _, part in ipairs(parts) do
    for _, row in ipairs(part.rows or {}) do
      if not ids[row.command] then
        count = count + 1
        ids[row.command] = "again-" .. count
      end
      row.again = ids[row.command]
    end
  end
end

--- The commands of all rows, each once.
---@param parts lunet.guide_part[]
---@return lunet.guide_row[] rows the first row of each command
function guide.commands(parts)
  local rows, seen = {}, {}
  for _, part in ipairs(parts) do
    for _, row in ipairs(part.rows or {}) do
      if not seen[row.again] then rows[#rows + 1], seen[row.again] = row, true end
    end
  end
  return rows
end

-- The record that a section shows: that of its experiment, with the knobs that it names.
local function record_of(section, records)
  local found
  for _, one in ipairs(records) do
    local fits = one.record.experiment == section.experiment
    for knob, wanted in pairs(section.with or {}) do fits = fits and (one.record.knobs or {})[knob] == wanted end
    if fits and found then
      error(("%s: a second record of %s, besides %s"):format(one.path, section.experiment, found.path), 0)
    end
    found = fits and one or found
  end
  return found
end

--- Makes the parts of the guide of records. Raises an error that names the file if a record lacks what its section
--- shows, or if two records fit one section.
---@param records lunet.guide_record[] as guide.read returns them
---@param defaults_of fun(section: lunet.guide_section): table<string, any> the default values of an experiment's knobs
---@param list? lunet.guide_section[] default: those of guide_sections
---@return lunet.guide_part[]
function guide.parts(records, defaults_of, list)
  local parts = {}
  for number, section in ipairs(list or sections) do
    parts[number] = part_of(section, number, record_of(section, records), defaults_of(section))
  end
  number_commands(parts)
  return parts
end

-- The experiment in the working directory; nil in another version of the tree, which has no record of it, either.
local function experiment_of(section)
  local file <close> = io.open(section.file)
  return file and dofile(section.file)
end

-- The defaults as the experiment declares them.
local function defaults_of(section)
  local defaults, experiment = {}, experiment_of(section)
  for _, knob in ipairs(experiment and experiment.knobs or {}) do defaults[knob.name] = knob.default end
  return defaults
end

local IS_JUDGED <const> = { ["holds"] = true, ["does not hold"] = true }

local function judged_by(experiment, one)
  local again = judge.judge(run.of { experiment = experiment, values = experiment:settings(one.knobs),
    outcome = one.outcome })
  local judged = options.merged(one, { verdict = again.verdict })
  judged.why = again.why
  return judged
end

-- A record with the verdict that the experiment's check gives its outcome today: descriptions of programs change.
local function judged(found)
  local one = found.record
  for _, section in ipairs(sections) do
    local experiment = section.experiment == one.experiment and IS_JUDGED[one.verdict] and experiment_of(section)
    if experiment then
      local is_judged, again = pcall(judged_by, experiment, one)
      if not is_judged then error(("%s: a record of another version: %s"):format(found.path, again), 0) end
      return { path = found.path, record = again }
    end
  end
  return found
end

local function replace(path, text)
  local is_done, why = core.replace_file(path, text)
  if not is_done then error(why, 0) end
end

--- Reads the records of a directory and writes field-guide.md and field-guide.html. Judges the records anew by the
--- experiments of the tree. Run it from the root of the tree.
---@param directory string of the records
---@param into string the directory of the pages
---@return lunet.guide_part[]
function guide.write(directory, into)
  local records = {}
  for i, found in ipairs(guide.read(directory)) do records[i] = judged(found) end
  local parts = guide.parts(records, defaults_of)
  local commands = guide.commands(parts)
  replace(into .. "/field-guide.md", guide_markdown.page(parts, commands))
  replace(into .. "/field-guide.html", guide_page.html(parts, commands))
  return parts
end

return guide
