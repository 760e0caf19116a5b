-- Users meet what they met before the Lua library got its floors. spec/before has `--help` of every experiment and
-- command, and `--json` of three experiments, from commit ff8304b. This spec compares all of it, except the wording of
-- claims and meanings, and the differences listed here.
local dkjson = require "dkjson"
local lfs = require "lfs"
local merged = require "spec.support.merged"
local patiently = require "spec.support.patient"(it)
local program = require "spec.support.program"

local LUNET = program.quote(os.getenv "LUNET")
local ROOT = os.getenv "LUNET_SOURCE"

-- Values that differ from run to run, by their names in an outcome: why.
local VARYING = {
  b_connect_seconds = "a time",
  lateness = "a time",
  age = "a time",
  read = "bytes that had arrived, by the size of the buffer",
  lost = "the rest of them",
  waiting = "bytes that had arrived, as the queue held them",
  unread = "the same, as the connection held them",
}

-- Fields of an outcome that came since.
local NEW_FIELDS = { stale = "the number of stale requests, as a measure for sweeps (issue 20)" }

-- Rows that came since: of which experiment, by a field. Its figures count them, too.
local NEW_ROWS = { ghost_kinds = { departure = "destroyed" } } -- a kind of ghosts (issue 22)

-- Options that came since: of which help.
local ADDED = {
  ["lunet-directory"] = { ["--all"] = "directories leave slow experiments out",
    ["--junit"] = "for others' CI (issue 25)", ["--tap"] = "the same" },
  experiment = { ["--junit"] = "for others' CI (issue 25)", ["--tap"] = "the same",
    ["--open"] = "the page in a browser (issue 25)" },
  lunet = {
    ["lunet doctor"] = "a line for each command",
    ["lunet sweep"] = "a command that came later (issue 20)",
    ["lunet --kernel"] = "a command that came later (issue 21)", ["lunet kernels"] = "the same",
    ["lunet --virtual-time"] = "the same",
    ["lunet queues"] = "a command that came later (issue 24)",
    ["lunet COMMAND --help"] = "each command has a help",
  },
}

-- Options that are gone.
local REMOVED = { lunet = { ["lunet doctor [--help]"] = "now `lunet doctor` and `lunet COMMAND --help`" } }

-- Options that are gone from an experiment: where they are now.
local SWEEP <const> = "lunet sweep (issue 20)"
local MOVED = {
  idle_holder = { ["--delay"] = "idle_race", ["--race"] = "idle_race" },
  metastable = { ["--seeds"] = SWEEP, ["--spare"] = SWEEP },
  remedies = { ["--seeds"] = SWEEP, ["--spare"] = SWEEP },
  retry_storm = { ["--backlogs"] = SWEEP, ["--seeds"] = SWEEP, ["--spare"] = SWEEP, ["--sweep"] = SWEEP },
}

-- Options that are new, or have other values: since when a run of these is one point, which a sweep repeats.
local ONE_POINT <const> = "a run is one point of a sweep (issue 20)"
local SHORTER <const> = "a run takes half of the time, for sweeps (issue 20)"
local SAME <const> = "2 ms, as before, of a shorter service"
local CHANGED = {
  ghost_kinds = { ["--departure"] = "one kind more (issue 22)" },
  dead_peer_timeouts = { ["--retries2"] = "up to the kernel's default of 15, for virtual time (issue 21)" },
  metastable = { ["--remedy"] = ONE_POINT, ["--patience"] = SHORTER, ["--service"] = SHORTER,
    ["--backlog"] = "a bound", ["--lateness"] = SAME },
  remedies = { ["--remedy"] = ONE_POINT, ["--naive"] = ONE_POINT, ["--part"] = "was --load 0",
    ["--load"] = "now --part", ["--patience"] = "shorter ones, for studies" },
  retry_storm = { ["--backlog"] = ONE_POINT, ["--patience"] = SHORTER, ["--service"] = SHORTER,
    ["--seconds"] = SHORTER, ["--warmup"] = SHORTER, ["--lateness"] = SAME },
}

-- Experiments whose times have a bound since: an endless one ended in a traceback.
local BOUNDED = { drain = 60, metastable = 60, retry_storm = 60 }

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

--- The path of the experiment of that name, in whichever folder it is; nil if there is none.
local function find_experiment(name, folder)
  folder = folder or ROOT .. "/experiments"
  for entry in lfs.dir(folder) do
    local path = folder .. "/" .. entry
    if entry == name .. ".lua" then return path end
    local is_folder = entry:sub(1, 1) ~= "." and lfs.attributes(path, "mode") == "directory"
    local found = is_folder and find_experiment(name, path)
    if found then return found end
  end
  return nil
end

local function run(words)
  local result = program.shell(("exec %s %s"):format(LUNET, words))
  return result.output, result.status
end

describe("as before issue 17", function()
  describe("--help", function()
    -- The options of a help in order: each with its unit, default and range, if it is a knob.
    local function options_of(text)
      local list, current = {}, nil
      for line in (text .. "\n"):gmatch "([^\n]*)\n" do
        local option = line:match "^   (%-%S.*)"
        if option then
          local name, rest = option:match "^(%S+ VALUE)%s+(.*)$" -- one space is left after the longest name
          if not name then name, rest = option:match "^(.-)%s%s+(.*)$" end
          current = { name = name or option, text = rest or "" }
          list[#list + 1] = current
        elseif line:find "^%s%s%s%s+%S" and current then
          current.text = current.text .. " " .. line:match "^%s+(.*)$"
        else
          current = nil
        end
      end
      return list
    end

    -- "--backlog VALUE: connections; default 100; a whole number, 0 or more"
    local function compared(text, excepted, bound)
      local lines = {}
      for _, option in ipairs(options_of(text)) do
        local name = option.name
        assert(name:find "^%-h" or #option.text > 0, name .. " says nothing")
        if not (excepted and excepted[name:match "%-%-%S+"]) then
          local kind = option.text:match "%(([^()]*; default .*)%)%.$" or ""
          if bound then kind = kind:gsub("^(s; .*; a number), ([%d.]+) or more$", "%1 from %2 to " .. bound) end
          lines[#lines + 1] = name .. ": " .. kind
        end
      end
      lines[#lines + 1] = "status" .. (text:match "Exit status:(.*)$" or ""):gsub("%D+", " ")
      return lines
    end

    for entry in lfs.dir(ROOT .. "/spec/before") do
      local name = entry:match "^([%w_]+)%.txt$"
      if name and name ~= "lunet" then
        it("of the experiment " .. name .. " has the same options, defaults and ranges", function()
          local before = read(ROOT .. "/spec/before/" .. entry)
          local now = run(program.quote(find_experiment(name)) .. " --help")
          assert.same(compared(before, merged(MOVED[name] or {}, CHANGED[name]), BOUNDED[name]),
            compared(now, merged(ADDED.experiment, CHANGED[name])))
        end)
      end
    end

    for name, words in pairs { ["lunet-directory"] = "experiments --help", ["lunet-doctor"] = "doctor --help" } do
      it("of " .. name .. " has the same options", function()
        local then_, now = read(("%s/spec/before/%s.txt"):format(ROOT, name)), run(words)
        assert.same(compared(then_), compared(now, ADDED[name]))
      end)
    end

    it("of lunet has the same options and forms", function()
      local function forms(text, excepted)
        local list = {}
        for form in text:gmatch "\n  (%S.-)%s%s+%S" do
          if not excepted[form] then list[#list + 1] = form end
        end
        return list
      end
      local before = forms(read(ROOT .. "/spec/before/lunet.txt"), REMOVED.lunet)
      assert.equal(14, #before)
      assert.same(before, forms((run "--help"), ADDED.lunet))
    end)
  end)

  describe("--json", function()
    -- The value without what varies, and with the types of it in its place.
    local function steady(value)
      if type(value) ~= "table" then return value end
      local copy = {}
      for key, field in pairs(value) do copy[key] = VARYING[key] and type(field) or steady(field) end
      return copy
    end

    -- Takes the new rows out of every list of an outcome.
    local function take_out(value, new)
      if type(value) ~= "table" or not new then return end
      for i = #value, 1, -1 do
        for field, word in pairs(new) do
          if type(value[i]) == "table" and value[i][field] == word then table.remove(value, i) end
        end
      end
      for _, field in pairs(value) do take_out(field, new) end
    end

    local function keys_of(text)
      local keys = {}
      for key in text:gmatch '\n  "(%w+)":' do keys[#keys + 1] = key end
      return keys
    end

    local function names_of(environment)
      local names = {}
      for name in pairs(environment) do names[#names + 1] = name end
      table.sort(names)
      return names
    end

    local function judged(path)
      local text, status = run(program.quote(path) .. " --json")
      if status == 4 then error("not judged: the machine disturbed the run", 0) end
      assert.equal(0, status)
      return text
    end

    for _, name in ipairs { "stale_replay", "connect_without_accept", "ghost_kinds" } do
      patiently("of " .. name .. " has the same fields in the same order, and the same values", function()
        local before, now = read(("%s/spec/before/%s.json"):format(ROOT, name)), judged(find_experiment(name))
        local was, is = assert(dkjson.decode(before)), assert(dkjson.decode(now))
        assert.same(keys_of(before), keys_of(now))
        for _, field in ipairs { "format", "experiment", "verdict", "knobs" } do
          assert.same(was[field], is[field])
        end
        for field in pairs(NEW_FIELDS) do is.outcome[field] = nil end
        take_out(is.outcome, NEW_ROWS[name])
        assert.same(steady(was.outcome), steady(is.outcome))
        if not NEW_ROWS[name] then -- the words are wording
          assert.same(was.figures:gsub("%D+", " "), is.figures:gsub("%D+", " "))
        end
        assert.same(names_of(was.environment), names_of(is.environment)) -- the values are the machine's
        assert.is_string(is.claim)
      end)
    end
  end)
end)
