--- `lunet queues`: what waits in the accept queues of this machine, and who in them has left already.
local fields = require "lunet.queues.fields"
local interrupt = require "lunet.text.interrupt"
local observer = require "lunet.queues.observer"
local outputs = require "lunet.queues.outputs"
local owners = require "lunet.queues.owners"
local report = require "lunet.queues.report"
local standard = require "lunet.command.standard"
local verdict = require "lunet.run.verdict"
local watch = require "lunet.queues.watch"

local queues = {}

local KNOWN <const> = " (known: --help, --port, --program, --all, --json, --explain, --watch, --looks, --log, "
  .. "--log-size, --prometheus)"
local EPILOG <const> = "It only reads (sock_diag(7), /proc), and it needs no privilege. Root also sees the programs of "
  .. "other users, and on older kernels the FINs of MPTCP. It sees one network namespace: for a container's, run it by "
  .. "nsenter(1).\n\n"
  .. "Exit status: 0 done, 2 wrong use, 3 the kernel or a file refused, 130 Ctrl-C, 143 SIGTERM."
local INTERRUPTED <const> = 130 -- as a shell tells of SIGINT
local LEAST <const>, MOST <const> = 0.1, 86400 -- s, between two looks

local function port_of(word)
  local port = math.tointeger(tonumber(word))
  if port and port >= 1 and port <= 65535 then return port end
  return nil, ("option '--port' must be a whole number from 1 to 65535, not '%s'"):format(word)
end

local function seconds_of(word)
  local seconds = tonumber(word)
  if seconds and seconds >= LEAST and seconds <= MOST then return seconds end
  return nil, ("option '--watch' must be a number of seconds from %g to %d, not '%s'"):format(LEAST, MOST, word)
end

local function count_of(word)
  local count = math.tointeger(tonumber(word))
  if count and count >= 1 then return count end
  return nil, ("option '--looks' must be a whole number from 1 on, not '%s'"):format(word)
end

local function size_of(word)
  local size = tonumber(word)
  if size and size >= 0.001 and size <= 1e6 then return size end
  return nil, ("option '--log-size' must be a number of MiB from 0.001 to 1000000, not '%s'"):format(word)
end

local function add_watch(parser)
  parser:option "--watch":argname "SECONDS":convert(seconds_of):description(
    "Look again each so many seconds. On a terminal the table stays in its place.")
  parser:option "--looks":argname "N":convert(count_of):description "End after so many looks."
  parser:option "--log":argname "FILE":description(
    "Append a line of JSON for each queue that is new, has changed or is gone.")
  parser:option "--log-size":argname "MIB":default "16":convert(size_of):description(
    "When the log has this size, it becomes FILE.1, and a new one begins.")
  parser:option "--prometheus":argname "FILE":description(
    "Write the numbers for node_exporter's textfile collector. At every moment the file is whole.")
end

local function parser_for()
  local parser = standard.parser("queues", "Show the accept queues of this machine: their depth and limit, what the "
    .. "kernel dropped, how many of the queued clients have left already, and which clients wait for an answer.",
    EPILOG)
  parser:option "--port":argname "PORT":convert(port_of):description(
    "Show only listeners at this port, and its clients.")
  parser:option "--program":argname "NAME":description "Show only listeners and clients of programs of this name."
  parser:flag "--all":description "Show Unix listeners with empty queues, too."
  parser:mutex(
    parser:flag "--json":description "Print one JSON object and nothing else (doc/queues.schema.json).",
    parser:flag "--explain":description "Say what each number is, and where the kernel keeps it.")
  add_watch(parser)
  return parser
end

local function filtered(list, options)
  local kept = {}
  for _, entry in ipairs(list) do
    local is_wanted = (not options.port or entry.port == options.port)
      and (not options.program or entry.program == options.program)
    if is_wanted then kept[#kept + 1] = entry end
  end
  return kept
end

local function look_at(looker, options)
  local look, why = looker:look()
  if not look then return nil, why end
  look.listeners, look.clients = filtered(look.listeners, options), filtered(look.clients, options)
  return look
end

local function words_of(look, options, number)
  if options.json then return (options.watch and report.line or report.json)(look, owners.sees_all()) end
  local how = { is_watch = options.watch ~= nil, shows_all = options.all, is_root = owners.sees_all() }
  local lines = report.lines(look, how)
  if options.watch then table.insert(lines, 1, os.date("%Y-%m-%d %H:%M:%S", look.time // 1 | 0)) end
  return options.watch and watch.screen(lines, number == 1) or table.concat(lines, "\n")
end

local function look_and_tell(looker, options, files, number)
  local look, why = look_at(looker, options)
  if not look then
    standard.could_not_run("queues", why)
    return false
  end
  files:write(look)
  return standard.tell(words_of(look, options, number))
end

-- Ctrl-C is how a watch ends: it leaves no traceback.
local function look_again_and_again(options, files)
  local looker = observer.new()
  local looks = options.looks
  if not options.watch then looks = 1 end
  local ok, result = pcall(watch.run, options.watch or MOST, looks, function(number)
    return look_and_tell(looker, options, files, number)
  end)
  if not ok and interrupt.is(result) then return INTERRUPTED end
  if not ok then error(result, 0) end
  return result and not files.has_failed and verdict.DONE or verdict.COULD_NOT_RUN
end

local function misused(options)
  if options.watch then return nil end
  return options.looks and "--looks needs --watch" or options.log and "--log needs --watch"
end

local function look(options)
  local files <close>, why = outputs.open(options, standard.complain)
  if not files then return standard.could_not_run("queues", why) end
  return look_again_and_again(options, files)
end

--- Runs the command.
---@param _ string the first word
---@param arguments string[] the words after it
---@return integer status the program's exit status
function queues.run(_, arguments)
  local parser = parser_for()
  local ok, options = parser:pparse(arguments)
  if not ok then return standard.misuse("queues", options .. KNOWN) end
  if options.help then return standard.help(parser) end
  if options.explain then return standard.tell(fields.explain()) and verdict.DONE or verdict.COULD_NOT_RUN end
  local wrong = misused(options)
  if wrong then return standard.misuse("queues", wrong .. KNOWN) end
  return look(options)
end

return queues
