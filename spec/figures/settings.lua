--- Tells which settings of the kernel move what an experiment finds: `lunet spec/figures/settings.lua NAME [--rows]`,
--- from the root of the tree. Runs it as isolation sets the kernel, and with one setting changed, unrecorded, and
--- compares the outcomes (spec/support/agreement.lua says how).
---
--- With --rows all settings are tried, and the rows of doc/settings.md printed. Without it those of QUICK are tried,
--- and what moved must stand in doc/settings.md. Exit status: 0 it does, 1 it does not, 77 the machine disturbed the
--- runs.
local agreement = require "spec.support.agreement"
local compare = require "spec.figures.compare"
local experiment_files = require "spec.support.experiment_files"
local interrupt = require "lunet.text.interrupt"
local isolation = require "lunet.run.isolation"

local SKIPPED <const> = 77
local MOST_BASE <const> = 6
local MOST_NAMES <const> = 4 -- fields that a row names
local ATTEMPTS <const> = 4 -- at a run that the machine disturbs

local QUICK <const> = {
  { "tcp_congestion_control", "cubic" }, { "tcp_congestion_control", "bbr" },
  { "tcp_rmem", "4096 65536 6291456" }, { "tcp_wmem", "4096 16384 65536" }, { "tcp_timestamps", 0 },
}
local OTHERS <const> = {
  { "tcp_sack", 0 }, { "tcp_ecn", 1 }, { "tcp_window_scaling", 0 }, { "tcp_autocorking", 0 },
  { "tcp_moderate_rcvbuf", 0 }, { "tcp_slow_start_after_idle", 0 }, { "tcp_early_retrans", 0 }, { "tcp_recovery", 0 },
  { "tcp_tw_reuse", 1 }, { "tcp_fin_timeout", 5 }, { "tcp_max_tw_buckets", 0 },
  { "somaxconn", 64 }, { "tcp_max_syn_backlog", 64 }, { "tcp_syncookies", 0 }, { "tcp_abort_on_overflow", 1 },
  { "tcp_syn_retries", 3 }, { "tcp_synack_retries", 2 }, { "tcp_syn_linear_timeouts", 0 }, { "tcp_retries2", 8 },
  { "tcp_rto_max_ms", 2000 }, { "tcp_rto_min_us", 50000 }, { "tcp_orphan_retries", 2 }, { "tcp_fastopen", 3 },
}

local name, option = ...
local experiment = dofile(experiment_files.path(name))
local listing = compare.listing(name)
listing.longer, listing.part = 0.05, 0.1 -- a setting that moves a time moves it far
local values = experiment:settings(listing.knobs)

-- -- settings ----------------------------------------------------------------------------------------

local function full_name(setting) return (setting[1] == "somaxconn" and "net.core." or "net.ipv4.") .. setting[1] end
local function label_of(setting) return ("%s = %s"):format(setting[1], setting[2]) end

local function is_there(setting)
  local file <close> = io.open("/proc/sys/" .. full_name(setting):gsub("%.", "/"))
  if not file or setting[1] ~= "tcp_congestion_control" then return file ~= nil end
  local allowed <close> = assert(io.open "/proc/sys/net/ipv4/tcp_allowed_congestion_control")
  return (" " .. allowed:read "l" .. " "):find(" " .. setting[2] .. " ", 1, true) ~= nil
end

local function has_knob(knob)
  for _, k in ipairs(experiment.knobs) do
    if k.name == knob then return true end
  end
  return false
end

local function skip()
  print(option == "--rows" and ("| %s | any | Not judged: the machine disturbed it. |"):format(name)
    or ("%-24s the machine disturbed it"):format(name))
  os.exit(SKIPPED)
end

-- A setting may keep the experiment from running, or from being judged: that is a verdict, too.
local function run(knobs)
  local ok, ran
  for _ = 1, ATTEMPTS do
    ok, ran = pcall(compare.execute, experiment, knobs, "none")
    if not ok and interrupt.is(ran) then error(ran, 0) end
    if ok and ran.verdict ~= "not judged" then return ran end
  end
  return ok and ran or { verdict = "could not run", why = tostring(ran):match "^[^\n]*", outcome = {} }
end

local function run_base()
  local ran = run(values)
  if ran.verdict == "not judged" or ran.verdict == "could not run" then skip() end
  return ran
end

-- With one setting changed; where that is a knob, by the knob.
local function run_with(setting)
  local knobs, field = {}, full_name(setting)
  for knob, value in pairs(values) do knobs[knob] = value end
  if setting[1] == "tcp_congestion_control" and has_knob "congestion" then knobs.congestion = setting[2] end
  local before = isolation.SYSCTLS[field]
  isolation.SYSCTLS[field] = setting[2]
  local _restored <close> = setmetatable({}, { __close = function() isolation.SYSCTLS[field] = before end })
  local ran = run(knobs)
  if ran.why then ran.verdict = ran.verdict .. " (" .. ran.why:gsub("^experiments/[%w_/]+%.lua:%d+: ", "") .. ")" end
  return ran
end

-- -- what moved --------------------------------------------------------------------------------------

-- Each field's first difference, by name: "`absorbed[].taken` is 749184, not from 509048 to 509048".
local function words_of(differences)
  if differences.verdict then
    return ("The verdict is: %s."):format(differences.verdict:match "^(.-), not %l"):gsub("|", "/")
  end
  local paths, names, words = {}, {}, {}
  for path in pairs(differences) do paths[#paths + 1] = path end
  table.sort(paths)
  for _, path in ipairs(paths) do
    local field = agreement.name(path)
    if not names[field] then
      names[field] = true
      words[#words + 1] = ("`%s` is %s"):format(field, differences[path])
    end
  end
  local more = #words > MOST_NAMES and ("; and %d more"):format(#words - MOST_NAMES) or ""
  return table.concat(words, "; ", 1, math.min(#words, MOST_NAMES)) .. more
end

local function known_rows()
  local known = {}
  for line in io.lines "doc/settings.md" do
    local of, label = line:match "^| ([%w_]+) | ([^|]-) |"
    if of then known[of .. " " .. label] = true end
  end
  return known
end

local tried, ways, pinned = {}, {}, {}
for _, list in ipairs { QUICK, option == "--rows" and OTHERS or {} } do
  for _, setting in ipairs(list) do
    if experiment.sysctl and experiment.sysctl[full_name(setting)] then
      pinned[#pinned + 1] = setting[1]
    elseif is_there(setting) then
      tried[#tried + 1] = label_of(setting)
      ways[#ways + 1] = { name = label_of(setting), run = function() return run_with(setting) end }
    end
  end
end

local results = compare.run(run_base, ways, listing, MOST_BASE)
if option == "--rows" then
  for _, result in ipairs(results) do
    if next(result.differences) then
      print(("| %s | %s | %s |"):format(name, result.name, words_of(result.differences)))
    end
  end
  io.stderr:write(("%s: tried %s; its own %s\n"):format(name, table.concat(tried, ", "), table.concat(pinned, ", ")))
  os.exit(true)
end

local known, complaints = known_rows(), 0
for _, result in ipairs(results) do
  if next(result.differences) and not known[name .. " " .. result.name] then
    complaints = complaints + 1
    io.stderr:write(("  %s: %s\n"):format(result.name, words_of(result.differences)))
  end
end
print(("%-24s %d settings, %d of them move what doc/settings.md does not say"):format(name, #results, complaints))
os.exit(complaints == 0)
