--- Runs random command lines: lunet spec/fuzz/commands.lua LUNET EXPERIMENTS SEED COUNT, in a directory of its own.
--- Some have knobs of experiments within their bounds; most are wrong in some way. lunet must always end by itself,
--- with a documented status and without a traceback. It must say in one line what is wrong.
local lunet = require "lunet"
local lfs = require "lfs"

local program, experiments, seed, count = arg[1], arg[2], math.tointeger(arg[3]), math.tointeger(arg[4])
assert(seed and count, "usage: lunet spec/fuzz/commands.lua LUNET EXPERIMENTS SEED COUNT")
math.randomseed(seed)

local LONGEST = 20 -- s; then a run gets SIGINT, as from somebody who waits no longer
local LONGEST_END = 60 -- s; by then it has ended, however busy the machine is

local random = math.random
local function chance(share) return random() < share end
local function pick(list) return list[random(#list)] end

local function write(name, text)
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
end

-- -- what is run -------------------------------------------------------------------------------

local QUICK = [[
local experiment = require "lunet.experiment"
return experiment {
  claim = "It is quick.",
  knobs = {
    whole = { 5, "things", "a whole number", min = 0, max = 100 },
    any_whole = { 5, "things", "a whole number" },
    share = { 0.5, "of 1", "a number", min = 0, max = 1 },
    time = { 0.1, "s", "a number", min = 0 },
    text = { "word", "text", "a string" },
    way = { "one", "way", "a choice", choices = { "one", "two" } },
    number_of = { 2, "way", "a choice", choices = { 1, 2, 4 } },
    on = { true, "true or false", "a boolean" },
  },
  run = function(knobs)
    require "lunet".note(knobs.text)
    return knobs
  end,
  check = function(outcome) assert(outcome.on, "it is off") end,
}
]]

local function prepare()
  assert(lfs.mkdir "quick" and lfs.mkdir "taken")
  write("quick/quick.lua", QUICK)
  write("quick/other.lua", QUICK)
  write("empty.lua", "")
  write("wrong.lua", "return (")
  write("plain.lua", "print 'plain'")
end

local function load_experiments()
  local found = {}
  for name in assert(io.popen("find " .. experiments .. " -name '*.lua' | sort")):lines() do
    local it = assert(loadfile(name))()
    found[#found + 1] = { file = name, knobs = it.knobs }
  end
  return found
end

local texts = {
  "", " ", "x", "word", "one", "two", "0", "1", "-1", "5", "1e3", "0x10", "1e999", "-inf", "inf", "nan", "0.5", "-0.0",
  "9223372036854775807", "9223372036854775808", "true", "false", "True", "\27[2J", "\xff\xfe", "a\nb", "\r", "%s", "--",
  "-", "--json", "'", '"', "`x`", "$x", ("y"):rep(5000), "ä", "\u{202e}", "quick", ".", "none/file",
}

local function wrong_file()
  return pick {
    "none.lua", "", "empty.lua", "wrong.lua", "plain.lua", "taken", "quick", "/dev/null", "\xff.lua", "-", "a\nb",
  }
end

local function file_to_write()
  return pick { "report", "other", "none/report", "", "taken", "/dev/full", "./report", "-" }
end

-- Words of an experiment's command line.
local function option_of(knobs)
  local kind = random(10)
  if kind <= 5 and #knobs > 0 then
    local name = "--" .. pick(knobs)
    local value = pick(texts)
    if chance(0.1) then return { name } end
    if chance(0.3) then return { name .. "=" .. value } end
    return { name, value }
  end
  if kind == 6 then return { pick { "--json", "--tap", "--machine", "--timeline", "--help", "-h" } } end
  if kind == 7 then return { "--record", pick { "none", "kernel", "segments", "wire", "nonsense", "" } } end
  if kind == 8 then
    return { "--" .. pick { "report", "svg", "trace", "pcap", "perfetto", "junit" }, file_to_write() }
  end
  if kind == 9 then return { pick(texts) } end
  return { pick { "--nonsense", "--whol", "-z", "--=", "---", "--whole--", "--\27" }, pick(texts) }
end

local function append(words, more)
  for _, word in ipairs(more) do words[#words + 1] = word end
  return words
end

local QUICK_KNOBS = { "whole", "any_whole", "share", "time", "text", "way", "number_of", "on" }

local makers = {}

function makers.quick()
  local words = { "quick/quick.lua" }
  for _ = 1, random(0, 4) do append(words, option_of(QUICK_KNOBS)) end
  return words
end

function makers.directory()
  local words = { pick { "quick", "quick/", "./quick", "taken" } }
  local options = {
    function() return { "--jobs", pick { "1", "2", "0", "-1", "x", "" } } end,
    function() return { "--timeout", pick { "10", "0", "-1", "nan", "inf", "x" } } end,
    function() return { pick { "--json", "--tap", "--markdown", "--help" } } end,
    function() return { "--junit", file_to_write() } end,
    function() return option_of(QUICK_KNOBS) end,
  }
  for _ = 1, random(0, 3) do append(words, pick(options)()) end
  return words
end

function makers.doctor()
  local words = { "doctor" }
  for _ = 1, random(0, 3) do append(words, { pick { "--json", "--help", "hosts", "drop", "no", pick(texts) } }) end
  return words
end

function makers.program()
  local words = {}
  for _ = 1, random(0, 4) do
    append(words, pick {
      { "-e", "x = 1" }, { "-ex = 1" }, { "-e" }, { "-l", "lunet" }, { "-v" }, { "--version" }, { "-E" }, { "-W" },
      { "-h" }, { "--help" }, { "--" }, { "-" }, { "-z" }, { "--nonsense" }, { "-vv" },
      { wrong_file() }, { pick(texts) },
    })
  end
  return words
end

-- Wrong values of real experiments: refused before anything runs.
function makers.refused(real)
  local it = pick(real)
  local words = { it.file }
  if #it.knobs == 0 then return append(words, { "--nonsense" }) end
  local k = pick(it.knobs)
  local wrong = { "", "nonsense\27", "0x", "nan" }
  if k.min then table.insert(wrong, tostring(k.min - 1)) end
  if k.max then table.insert(wrong, tostring(k.max + 1)) end
  if k.type == "string" and not k.choices then return append(words, { "--nonsense" }) end
  return append(words, { "--" .. k.name, pick(wrong) }), 2
end

-- Values within the bounds, at and near them, that do not make a run much longer.
local function allowed(k)
  if k.choices then return tostring(pick(k.choices)) end
  if k.type == "boolean" then return tostring(chance(0.5)) end
  if k.type == "string" then return k.default end
  local values = { k.default, k.min or k.default, k.default / 2, k.default * 2 }
  if k.max and k.max <= 4 * k.default then table.insert(values, k.max) end
  for _, small in ipairs { 0, 1, 2, 3, 0.001 } do
    if (not k.min or small >= k.min) and (not k.max or small <= k.max) then table.insert(values, small) end
  end
  local value = pick(values)
  if k.type == "integer" then value = math.floor(value) end
  if k.min and value < k.min or k.max and value > k.max then value = k.default end
  return tostring(value)
end

function makers.real(real)
  local it = pick(real)
  local words = { it.file }
  for _, k in ipairs(it.knobs) do
    if chance(0.4) then append(words, { "--" .. k.name .. "=" .. allowed(k) }) end
  end
  if chance(0.5) then append(words, { "--json" }) end
  return words
end

local shares = {
  { 0.55, "quick" }, { 0.7, "refused" }, { 0.82, "program" }, { 0.90, "directory" }, { 0.95, "doctor" },
  { 1, "real" },
}

local function make(real)
  local share = random()
  for _, entry in ipairs(shares) do
    if share < entry[1] then
      local words, wanted = makers[entry[2]](real)
      return entry[2], words, wanted
    end
  end
end

-- -- how it ends -------------------------------------------------------------------------------

local function run(words)
  local how = { program, stdin = "null", stdout = "pipe", stderr = "pipe" }
  local process <close> = assert(lunet.exec(table.move(words, 1, #words, 2, how)))
  local output = lunet.spawn(process.stdout.receive, process.stdout, "a")
  local errors = lunet.spawn(process.stderr.receive, process.stderr, "a")
  local status, _, code = process:wait(LONGEST)
  local is_late = code == "TIMEOUT"
  if is_late then
    process:kill "SIGINT"
    status = process:wait(LONGEST_END)
  end
  if not status then return { status = "it did not end", output = "", errors = "", is_late = true } end
  local _, printed = output:join(10)
  local _, said = errors:join(10)
  return { status = status, output = printed or "", errors = said or "", is_late = is_late }
end

local function lines_in(text) return select(2, text:gsub("\n", "")) end

local function is_usage(errors) return errors:find "^lunet: [^\n]*\nusage: lunet " ~= nil end

--- Says what is wrong with how it ended; nil: nothing.
local function judge(kind, result, wanted)
  local status, errors = result.status, result.errors
  if result.is_late and status == 130 then return nil end
  if math.type(status) ~= "integer" or status < 0 or status > 4 then return "status " .. tostring(status) end
  if wanted and status ~= wanted then return ("status %d, not %d"):format(status, wanted) end
  if errors:find "stack traceback" or result.output:find "stack traceback" then return "a traceback" end
  if errors:find "attempt to " then return "an error of lunet's own" end
  if errors:find "[\0-\8\11-\31\127]" then return "control characters on standard error" end
  if not utf8.len(errors) then return "standard error is no UTF-8" end
  local is_wrong_use = status == 2 or status == 3 and kind ~= "real" and kind ~= "directory" and kind ~= "doctor"
  if is_wrong_use and not is_usage(errors) and (lines_in(errors) ~= 1 or not errors:find "^lunet[^\n]*: ") then
    return ("status %d with %d lines on standard error"):format(status, lines_in(errors))
  end
  -- Options before the file on the line have run by then: --version, -e.
  local has_begun = errors:find "^lunet: cannot open "
  if status == 2 and result.output ~= "" and not has_begun then return "status 2, and something on standard output" end
  return nil
end

local function quoted(words)
  local parts = {}
  for i, word in ipairs(words) do
    local short = #word > 60 and word:sub(1, 60) .. "..." or word
    parts[i] = ("%q"):format(short):gsub("\n", "n")
  end
  return "lunet " .. table.concat(parts, " ")
end

prepare()
local real = load_experiments()
local failures, counts = 0, {}
for number = 1, count do
  local kind, words, wanted = make(real)
  counts[kind] = (counts[kind] or 0) + 1
  local result = run(words)
  local wrong = judge(kind, result, wanted)
  if wrong then
    failures = failures + 1
    print(("command line %d of seed %d (%s): %s\n  %s\n  %s"):format(number, seed, kind, wrong, quoted(words),
      result.errors:sub(1, 1500):gsub("\n", "\n  ")))
  end
end
local parts = {}
for kind, number in pairs(counts) do parts[#parts + 1] = ("%d %s"):format(number, kind) end
table.sort(parts)
print(("%d command lines of seed %d (%s), %d failures"):format(count, seed, table.concat(parts, ", "), failures))
os.exit(failures == 0, true)
