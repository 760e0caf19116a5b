--- `lunet doctor`: tells what lunet can do here. For everything else it tells the reason, and the command that changes
--- it.
local can = require "lunet.run.can"
local core = require "lunet.core"
local features = require "lunet.network.features"
local json = require "lunet.text.json"
local standard = require "lunet.command.standard"
local text = require "lunet.text.width"
local value = require "lunet.text.value"
local verdict = require "lunet.run.verdict"

local doctor = {}

local NAMES <const> = table.concat(can.names(), ", ")
local EPILOG <const> = "Exit status: 0 all of that works, 3 something does not, 2 wrong use, 130 Ctrl-C. "
  .. "To skip a step that cannot run here: lunet doctor hosts drop || exit 0"

local function new_parser()
  local parser = standard.parser("doctor", "Tell what lunet can do here, and what to change where it cannot.", EPILOG)
  parser:argument "ability":args "*":argname("ABILITY"):description(
    ("What must work (default: all of them): %s; or the name of a sysctl that hosts must let you set."):format(NAMES))
  parser:flag "--json":description "Print one JSON object and nothing else."
  return parser
end

local function unknown_among(wanted)
  for _, name in ipairs(wanted) do
    if not can.find(name) then return ("'%s' is no ability"):format(name) end
  end
  return nil
end

local function examine(wanted)
  local found, all_work = {}, true
  local has_hosts, _, refused_code = can.ask "hosts"
  for i, name in ipairs(wanted) do
    local works, why, code, command = nil, "there are no hosts", refused_code, nil
    if has_hosts or name == "hosts" then works, why, code, command = can.ask(name) end
    found[i] = { name = name, meaning = can.find(name).meaning, works = works or false, why = why, code = code,
      command = command }
    all_work = all_work and found[i].works
  end
  return found, all_work
end

-- The settings of the table of features that this kernel lacks: they are newer, or it is built without them.
local function settings_missing()
  local missing = {}
  for _, name in ipairs(value.sorted_keys(features.TABLE.sysctl)) do
    local row = features.TABLE.sysctl[name]
    if row.absent and not features.has_sysctl(name) then
      missing[#missing + 1] = { name = name, why = features.explain("sysctl", name), as = row.absent }
    end
  end
  return missing
end

-- Root of a user namespace is an ordinary user elsewhere (user_namespaces(7)).
local function user()
  local uid = math.tointeger(core.read_file(nil, "/proc/self/status"):match "\nUid:%s+%d+%s+(%d+)")
  local is_everyone = core.read_file(nil, "/proc/self/uid_map"):match "^%s*0%s+0%s+4294967295%s*$" ~= nil
  local name = uid == 0 and "root" or "user " .. uid
  return uid, is_everyone and name or name .. " of a user namespace"
end

local INDENT <const> = (" "):rep(17)

local function lines_of(report)
  local lines = { ("lunet %s, Linux %s, as %s"):format((core.versions()), report.kernel, report.user), "" }
  for _, ability in ipairs(report.abilities) do
    lines[#lines + 1] = ("  %-9s %-3s  %s"):format(ability.name, ability.works and "yes" or "no", ability.meaning)
    if ability.why then text.add_wrapped(lines, INDENT, ability.why) end
    if ability.command then text.add_wrapped(lines, INDENT, "to change that: " .. ability.command) end
  end
  if #report.settings_missing > 0 then
    lines[#lines + 1] = "\nThis kernel lacks some settings. It behaves as if they had these values:\n"
  end
  for _, setting in ipairs(report.settings_missing) do
    lines[#lines + 1] = ("  %s %s"):format(setting.name, setting.as)
    text.add_wrapped(lines, "      ", setting.why)
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = report.works and "All of that works." or "Some of that does not work."
  return table.concat(lines, "\n")
end

--- Runs the command.
---@param _ string the first word
---@param arguments string[] the words after it
---@return integer status the program's exit status
function doctor.run(_, arguments)
  local parser = new_parser()
  local ok, options = parser:pparse(arguments)
  local wrong = ok and unknown_among(options.ability) or not ok and options
  if wrong then
    return standard.misuse("doctor", ("%s (known: --help, --json, %s, or the name of a sysctl)"):format(wrong, NAMES))
  end
  if options.help then return standard.help(parser) end
  local report = { kernel = features.release() }
  report.uid, report.user = user() -- before the process may move
  report.abilities, report.works = examine(#options.ability > 0 and options.ability or can.names())
  report.settings_missing = #options.ability == 0 and settings_missing() or {}
  local words = options.json and json.encode(report, { "kernel", "uid", "user", "works" }) or lines_of(report)
  return standard.tell(words) and report.works and verdict.DONE or verdict.COULD_NOT_RUN
end

return doctor
