--- Runs an experiment, a directory of them or any script under another kernel:
--- `lunet --kernel 6.1 experiments/stale_replay.lua --json`. Everything is as if it had run here: what it prints, its
--- files and its exit status. `lunet --virtual-time SCRIPT` is short for a kernel like this machine's own.
local core = require "lunet.core"
local guest = require "lunet.kernel.guest"
local invocation = require "lunet.command.invocation"
local json = require "lunet.text.json"
local needed = require "lunet.command.needed"
local outputs = require "lunet.command.outputs"
local overview = require "lunet.command.overview"
local provision = require "lunet.kernel.provision"
local qemu = require "lunet.kernel.qemu"
local scratch = require "lunet.peer.scratch"
local standard = require "lunet.command.standard"
local tabular = require "lunet.text.table"
local uml = require "lunet.kernel.uml"
local verdict = require "lunet.run.verdict"

local command = {}

local COLUMNS <const> = 100 -- of the table of all kernels

local OWN <const> = "own" -- the version of a kernel like this machine's own

local EPILOG <const> = "Exit status: that of the run in the guest; 2 wrong use; 3 there is no such kernel, or it does "
  .. "not start; 130 Ctrl-C, 143 SIGTERM."

local VIRTUAL <const> = "--virtual-time" -- the other name of this command

local function kernel_parser()
  local parser = standard.parser("--kernel", "Run lunet under another kernel: Debian's, as user-mode Linux, or else "
    .. "in qemu, in virtual time. Neither needs root. The first use of a kernel fetches it; lunet kernels shows what "
    .. "there is.", EPILOG)
  parser:argument("version"):description(
    "The kernel's version, or its beginning: 6.1. own: one like this machine's. all: each that there is, and a table "
    .. "of the verdicts. Or a package, linux-image-6.1.0-50-amd64, or a kernel's file, ./bzImage.")
  parser:mutex(
    parser:flag(VIRTUAL):description("Run in qemu, whose clock counts instructions: waiting takes no time, and "
      .. "this machine's load does not matter."),
    parser:flag "--kvm":description "Run in qemu by KVM, in real time.")
  return parser
end

local function virtual_parser()
  return standard.parser(VIRTUAL, "Run lunet in qemu, whose clock counts instructions, under a kernel like this "
    .. "machine's own: waiting takes no time, and this machine's load does not matter. It is short for lunet --kernel "
    .. "own --virtual-time.", EPILOG)
end

local function parser_for(word)
  local parser = word == VIRTUAL and virtual_parser() or kernel_parser()
  parser:flag "--as-user":description "Run as the user 1000, not as root. Anybody else stays who they are."
  parser:option "--ipv6":argname "=WAY":choices(uml.IPV6):default("on"):description(
    "What the kernel has of IPv6: on, off (ipv6.disable=1) or absent (the module is not loaded).")
  parser:argument("script"):description "An experiment, a directory or a script; its own options follow."
  return parser
end

-- The words up to the script are this command's own; an option's value follows "=".
local function split(command_name, arguments)
  local positional = command_name == VIRTUAL and 1 or 0
  for i, word in ipairs(arguments) do
    if word:sub(1, 1) ~= "-" then positional = positional + 1 end
    if positional == 2 then
      return table.move(arguments, 1, i, 1, {}), table.move(arguments, i + 1, #arguments, 1, {})
    end
  end
  return arguments, {}
end

local KNOWN <const> = {
  ["--kernel"] = " (known: --help, --virtual-time, --kvm, --as-user, --ipv6)",
  [VIRTUAL] = " (known: --help, --as-user, --ipv6)",
}

-- The options of files that lunet writes.
local FILE_OPTIONS <const> = { ["--markdown"] = true }
for _, kind in ipairs(outputs.kinds) do FILE_OPTIONS["--" .. kind.name] = true end

-- Has the guest write files into its own directory. Returns the words for it, and where each file belongs.
local function redirect(words)
  local inside, targets = {}, {}
  local i = 1
  while i <= #words do
    local option, path = words[i]:match "^(%-%-%l+)=(.*)$"
    option = option or words[i]
    if FILE_OPTIONS[option] and not path and words[i + 1] and words[i + 1]:sub(1, 1) ~= "-" then
      i = i + 1
      path = words[i]
    end
    inside[#inside + 1] = option
    if FILE_OPTIONS[option] and path then
      targets[#targets + 1] = { option = option, path = path }
      inside[#inside + 1] = guest.file(#targets)
    elseif path then
      inside[#inside] = words[i]
    end
    i = i + 1
  end
  return inside, targets
end

local function can_write(targets)
  for _, target in ipairs(targets) do
    local ok, why = core.can_replace_file(target.path)
    if not ok then return nil, ("%s: %s"):format(target.option, why) end
  end
  return true
end

-- Puts the guest's files where they belong.
local function keep(targets, files)
  local complete = true
  for i, target in ipairs(targets) do
    if files[i] then
      local ok, why = core.replace_file(target.path, files[i])
      if not ok then standard.complain(("%s: %s"):format(target.option, why)) end
      complete = complete and ok
    end
  end
  return complete
end

-- "in user-mode Linux, in real time"
local function engine_text(kernel, how)
  local engine = kernel.engine
  return ("in %s, in %s time"):format(engine.ENGINE, engine.clock(how))
end

-- Runs lunet in a guest; complains if that fails.
local function run_in(kernel, words, options)
  local function say(text) standard.complain(("Linux %s: %s"):format(kernel.release, text)) end
  local how = { as_user = options.as_user, ipv6 = options.ipv6, is_kvm = options.kvm, complain = say,
    needs = kernel.engine == qemu and needed.by(options.script, options.rest) or {} }
  say("booting " .. engine_text(kernel, how))
  local result, why = guest.run(kernel, words, how)
  if not result then say(why) end
  return result
end

local function run_one(kernel, words, targets, options)
  local result = run_in(kernel, words, options)
  if not result then return verdict.COULD_NOT_RUN end
  io.stderr:write(result.stderr)
  local is_kept = keep(targets, result.files)
  local is_told = result.stdout == "" or standard.tell((result.stdout:gsub("\n$", "")))
  return is_kept and is_told and result.status or verdict.COULD_NOT_RUN
end

-- The record of a run in a guest, with the kernel that it had.
local function record_of(kernel, result)
  local record = result and json.decode(result.stdout)
  if type(record) ~= "table" or not record.verdict then
    record = { verdict = "could not run", why = result and result.stderr:match "[^\n]*" or "the guest did not start" }
  end
  return { kernel = kernel.release, verdict = record.verdict, figures = record.figures or record.why }, record
end

local function wish_of(options, place)
  return { emulated = options.virtual_time or options.kvm, tell = standard.complain, place = place }
end

-- Runs an experiment under each kernel.
local function run_all(words, options)
  words[#words + 1] = "--json"
  local found, why = provision.find_all(wish_of(options))
  if not found then return standard.could_not_run("--kernel", why) end
  local rows, records = {}, {}
  for i, kernel in ipairs(found) do rows[i], records[i] = record_of(kernel, run_in(kernel, words, options)) end
  local is_told = standard.tell(table.concat(tabular.lines(rows, { "kernel", "verdict" }, COLUMNS), "\n"))
  return is_told and overview.status(records) or verdict.COULD_NOT_RUN
end

local function find_kernel(options, place)
  local wish, has_kvm, why = wish_of(options, place), true, nil
  if options.kvm then has_kvm, why = qemu.has_kvm() end
  if not has_kvm then return nil, why end
  if options.version == OWN then return provision.find_own(wish) end
  return provision.find(options.version, wish)
end

local function run_named(words, targets, options)
  local ok, why = can_write(targets)
  if not ok then return standard.could_not_run("--kernel", why) end
  local place <close> = scratch.open()
  local kernel
  kernel, why = find_kernel(options, place)
  if not kernel then return standard.could_not_run("--kernel", why) end
  return run_one(kernel, words, targets, options)
end

local function wants_browser(words)
  for _, word in ipairs(words) do
    if word == "--open" then return true end
  end
  return false
end

--- Runs the command.
---@param word string the first word: "--kernel" or "--virtual-time"
---@param arguments string[] the words after it
---@return integer status the program's exit status
function command.run(word, arguments)
  local own, rest = split(word, arguments)
  local parser = parser_for(word)
  if own[#own] == "--help" or own[#own] == "-h" then return standard.help(parser) end
  local ok, options = parser:pparse(own)
  if not ok then return standard.misuse(word, options .. KNOWN[word]) end
  if word == VIRTUAL then options.version, options.virtual_time = OWN, true end
  local inside, targets = redirect(rest)
  if wants_browser(rest) then
    return standard.misuse(word, "a guest has no browser for --open: take --report FILE, and open that")
  end
  options.rest = rest
  local words = invocation.words()
  words[#words + 1] = options.script
  table.move(inside, 1, #inside, #words + 1, words)
  if options.version ~= "all" then return run_named(words, targets, options) end
  if #targets > 0 then return standard.misuse("--kernel", ("all kernels have no %s"):format(targets[1].option)) end
  return run_all(words, options)
end

return command
