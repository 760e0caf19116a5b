--- What `lunet doctor` does: tells what lunet can do here, what it cannot, why, and the command that changes it.
local dependency = require "lunet.text.dependency"
local can = require "lunet.run.can"
local core = require "lunet.core"
local features = require "lunet.network.features"
local value = require "lunet.text.value"
local verdict = require "lunet.run.verdict"

local argparse = dependency "argparse"

local doctor = {}


local function names()
  local list = {}
  for i, ability in ipairs(can.ABILITIES) do list[i] = ability.name end
  return list
end

local function new_parser()
  local parser = argparse("lunet doctor", "Tell what lunet can do here, and what to change where it cannot.")
  parser:usage_max_width(80):help_max_width(80):add_help(false)
  parser:epilog("Exit status: 0 all of that works, 3 something does not, 2 wrong use, 130 Ctrl-C. "
    .. "For a step that is skipped where it cannot run: lunet doctor hosts drop || exit 0")
  parser:argument "ability":args "*":argname("ABILITY"):description(
    "What has to work: all that there is, if none is given: " .. table.concat(names(), ", ")
      .. "; or the name of a sysctl that hosts must let be set.")
  parser:flag "-h --help":description "Show this and exit."
  parser:flag "--json":description "Print one JSON object and nothing else."
  return parser
end

local function meaning_of(name)
  for _, ability in ipairs(can.ABILITIES) do
    if ability.name == name then return ability.meaning end
  end
  return "a setting of hosts"
end

local function unknown_among(wanted)
  for _, name in ipairs(wanted) do
    if not can.knows(name) then return ("'%s' is no ability"):format(name) end
  end
  return nil
end

local function examine(wanted)
  local found, all_work = {}, true
  local has_hosts, _, refused_code = can.ask "hosts"
  for i, name in ipairs(wanted) do
    local works, why, code, command = nil, "there are no hosts", refused_code, nil
    if has_hosts or name == "hosts" then works, why, code, command = can.ask(name) end
    found[i] = { name = name, meaning = meaning_of(name), works = works or false, why = why, code = code,
      command = command }
    all_work = all_work and found[i].works
  end
  return found, all_work
end

-- The settings of the table of features that came after this kernel, or that it is built without.
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

local function text_of(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- Root of a user namespace is an ordinary user elsewhere (user_namespaces(7)).
local function user()
  local uid = math.tointeger(text_of "/proc/self/status":match "\nUid:%s+%d+%s+(%d+)")
  local is_everyone = text_of "/proc/self/uid_map":match "^%s*0%s+0%s+4294967295%s*$" ~= nil
  local name = uid == 0 and "root" or "user " .. uid
  return uid, is_everyone and name or name .. " of a user namespace"
end

-- In lines of at most 80 columns, the following ones under the first word.
local function wrapped(first, text)
  local lines, line = {}, first
  for word in text:gmatch "%S+" do
    if #line + 1 + #word > 80 then
      lines[#lines + 1], line = line, (" "):rep(#first)
    end
    line = line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function tell(report)
  print(("lunet %s, Linux %s, as %s\n"):format((core.versions()), report.kernel, report.user))
  for _, ability in ipairs(report.abilities) do
    print(("  %-9s %-3s  %s"):format(ability.name, ability.works and "yes" or "no", ability.meaning))
    if ability.why then print(wrapped("                ", ability.why)) end
    if ability.command then print(wrapped("                ", "to change that: " .. ability.command)) end
  end
  if #report.settings_missing > 0 then print "\nSettings that this kernel lacks, and as which value it behaves:\n" end
  for _, setting in ipairs(report.settings_missing) do
    print(("  %s %s\n%s"):format(setting.name, setting.as, wrapped("     ", setting.why)))
  end
  print(report.works and "\nAll of that works." or "\nSome of that does not work.")
end

--- Runs it.
---@param _ string the first word
---@param arguments string[] what followed it
---@return integer status the program's exit status
function doctor.run(_, arguments)
  local parser = new_parser()
  local ok, options = parser:pparse(arguments)
  local wrong = ok and unknown_among(options.ability) or not ok and options
  if wrong then
    wrong = wrong:gsub("%c+", " ") -- argparse asks in a second line whether another was meant
    io.stderr:write(("lunet doctor: %s (known: --help, --json, %s, or the name of a sysctl)\n"):format(wrong,
      table.concat(names(), ", ")))
    return verdict.WRONG_USE
  end
  if options.help then
    print(parser:get_help())
    return verdict.DONE
  end
  local report = { kernel = features.release() }
  report.uid, report.user = user() -- before the process may move
  report.abilities, report.works = examine(#options.ability > 0 and options.ability or names())
  report.settings_missing = #options.ability == 0 and settings_missing() or {}
  if options.json then
    print(require("lunet.text.json").encode(report, { "kernel", "uid", "user", "works" }))
  else
    tell(report)
  end
  return report.works and verdict.DONE or verdict.COULD_NOT_RUN
end

return doctor
