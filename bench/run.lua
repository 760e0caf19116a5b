-- The runner behind bench/run: peers take turns, round by round, each in a process and on a host of its own.
local argparse = require "argparse"
local dkjson = require "dkjson"
local json = require "lunet.text.json"
local lunet = require "lunet"
local text = require "lunet.text.width"

local HERE = arg[0]:match "^(.*)/[^/]*$" or "."
if HERE:sub(1, 1) ~= "/" then HERE = os.getenv "PWD" .. "/" .. HERE end -- peers have directories of their own
local ROOT = HERE .. "/.."
local BUILD = os.getenv "LUNET_BUILD" or ROOT .. "/build/release"
local SYSCTLS = {
  ["net.ipv4.tcp_congestion_control"] = "reno", -- one that paces would make the throughput jump
  ["net.core.somaxconn"] = 65535,
  ["net.ipv4.ip_local_port_range"] = "1024 65535",
}
local LIMIT = 600 -- s for one round of one peer
local OTHER = "other lunet" -- the peer that --against adds

package.path = HERE .. "/?.lua;" .. package.path
local catalogue = require "workloads"
local results_of = require "results"

local options -- of the command line

-- -- programs ----------------------------------------------------------------------------------

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

-- The words that run a peer's program for a workload, and its directory; nil if it has none.
local function command_of(peer, workload, arguments)
  local words, directory
  if peer.build then
    words = { ("%s/bench/%s/%s"):format(BUILD, peer.build, workload.program) }
    if not exists(("%s/peers/%s/%s.c"):format(HERE, peer.build:match "^[^-]+", workload.program)) then return nil end
  else
    directory = ("%s/peers/%s"):format(HERE, peer.directory)
    local file = workload.program .. peer.suffix
    if not exists(directory .. "/" .. file) then return nil end
    words = { peer.run == "lunet" and (peer.at or BUILD) .. "/lunet" or peer.run, file }
    if peer.run == "node" then table.insert(words, 2, "--expose-gc") end
  end
  table.move(arguments, 1, #arguments, #words + 1, words)
  words[#words + 1] = peer.more
  words.cwd = directory
  return words
end

local function peers()
  local all = {}
  for _, peer in ipairs(catalogue.peers) do
    all[#all + 1] = peer
    if peer.name == "lunet" and options.against then
      all[#all + 1] = { name = OTHER, run = "lunet", at = options.against, directory = peer.directory,
        suffix = peer.suffix }
    end
  end
  return all
end

local function rows_of_peers(workload, arguments)
  local rows = {}
  for _, peer in ipairs(peers()) do
    local is_left_out = workload.without and workload.without[(peer.build or peer.directory):match "^[^-]+"]
    local words = not is_left_out and command_of(peer, workload, arguments)
    if words then rows[#rows + 1] = { name = peer.name, words = words } end
  end
  return rows
end

local special = {}

function special.startup(_, _, is_tiny)
  local empty = "/dev/null"
  local startup, count = BUILD .. "/bench/startup/startup", is_tiny and 3 or 100
  return {
    { name = "lua5.4", words = { startup, count, "lua5.4", empty } },
    { name = "lunet", words = { startup, count, BUILD .. "/lunet", empty } },
    { name = "python3", words = { startup, count // 3, "/usr/bin/python3", "-I", empty } },
    { name = "node", words = { startup, count // 3, "node", empty } },
    options.against and { name = OTHER, words = { startup, count, options.against .. "/lunet", empty } },
  }
end

function special.trace(_, arguments)
  local function words(build, ...) return { build .. "/lunet", "churn.lua", arguments[1], arguments[2], ...,
    cwd = HERE .. "/peers/lunet" } end
  local rows = { { name = "off", words = words(BUILD, "") }, { name = "on", words = words(BUILD, "record") } }
  if options.against then rows[3] = { name = OTHER .. ", on", words = words(options.against, "record") } end
  return rows
end

function special.sweep(_, arguments)
  local runs, few = arguments[1], math.max(1, arguments[1] // 20)
  local script = "/experiments/stale_replay.lua"
  local function timed(count, ...) return { "/usr/bin/python3", HERE .. "/peers/timed.py", count, ... } end
  local function loop(count, jobs, tree, build)
    return timed(count, "sh", "-c", ("seq %d | xargs -P %d -I%% '%s/lunet' '%s%s' --json"):format(count, jobs, build,
      tree, script))
  end
  local in_namespace = "mount -t tmpfs none /run && exec /usr/bin/python3 '%s/peers/ip/stale_replay.py' %d 8"
  local rows = {
    { name = "lunet sweep", words = timed(runs, BUILD .. "/lunet", "sweep", ROOT .. script, "--runs", tostring(runs),
      "--into", "{}/out") },
    { name = "ip, 8", words = timed(runs, "unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c",
      in_namespace:format(HERE, runs)) },
    { name = "lunet, 1", words = loop(few, 1, ROOT, BUILD) },
  }
  if options.against then
    local tree = options.against .. "/../.."
    rows[#rows + 1] = { name = OTHER .. ", 8", words = loop(runs, 8, tree, options.against) }
    rows[#rows + 1] = { name = OTHER .. ", 1", words = loop(few, 1, tree, options.against) }
  end
  return rows
end

local function rows_of(workload, is_tiny)
  local arguments = table.move(workload.arguments or {}, 1, 2, 1, {})
  if is_tiny then arguments[1] = math.max(2, (arguments[1] or 0) // 200) end
  return (special[workload.rows] or rows_of_peers)(workload, arguments, is_tiny)
end

-- -- running them ------------------------------------------------------------------------------

-- One round of one peer: what its program printed.
local function measure(row)
  local host <close> = assert(lunet.host { name = "bench", sysctl = SYSCTLS })
  local program = table.move(row.words, 1, #row.words, 1, { cwd = row.words.cwd })
  program.env = { LUA_PATH = HERE .. "/peers/?.lua;./?.lua;;", LUA_INIT = false, PYTHONPATH = HERE .. "/peers",
    NODE_OPTIONS = false }
  local process <close> = assert(host:exec(program))
  local output, message = process.stdout:receive("a", LIMIT)
  if not output then error(("%s: %s"):format(row.name, message), 0) end
  local status = process:wait(LIMIT)
  local values = dkjson.decode(output)
  if status ~= 0 or type(values) ~= "table" then
    error(("%s: '%s' ended with %s and printed %q"):format(row.name, table.concat(row.words, " "), status, output), 0)
  end
  return values
end

local function keep(results, values)
  for metric, value in pairs(values) do
    results[metric] = results[metric] or {}
    table.insert(results[metric], value)
  end
end

-- The other lunet may lack what a workload needs.
local function without_lacking(rows, workload)
  local able = {}
  for _, row in ipairs(rows) do
    local is_other = row.name:sub(1, #OTHER) == OTHER
    local ok, why = pcall(is_other and measure or function() end, row)
    if ok then able[#able + 1] = row end
    if not ok then io.stderr:write(("bench/run: %s without %s: %s\n"):format(workload.name, row.name, why)) end
  end
  return able
end

local function index_of(rows, name)
  for i, row in ipairs(rows) do
    if row.name == name then return i end
  end
  return 1
end

-- Everyone in turn, and who is first changes from round to round.
local function run(workload)
  local rows, results = without_lacking(rows_of(workload, options.tiny), workload), {}
  for _, row in ipairs(rows) do results[row.name] = {} end
  local first = index_of(rows, options.first)
  for round = 1, options.rounds do
    for i = 1, #rows do
      local row = rows[(first + round + i - 3) % #rows + 1]
      keep(results[row.name], measure(row))
    end
  end
  return rows, results
end

-- -- telling -----------------------------------------------------------------------------------

local function load_average()
  local file <close> = assert(io.open "/proc/loadavg")
  return tonumber((file:read "a":match "^%S+"))
end

local function show(workload, rows, results)
  local yardstick = results[workload.yardstick or "libuv"]
  print(("\n%s: %s"):format(workload.name, workload.what))
  local heads = { text.left("", 17) }
  for _, metric in ipairs(workload.metrics) do
    heads[#heads + 1] = text.right(metric[1], 12) .. text.right("ratio", 20)
  end
  print(table.concat(heads))
  for _, row in ipairs(rows) do
    local cells = { text.left(row.name, 17) }
    for _, metric in ipairs(workload.metrics) do
      local values = results[row.name][metric[1]]
      cells[#cells + 1] = text.right(results_of.figure(results_of.median(values)), 12)
        .. text.right(results_of.spread(values, yardstick[metric[1]]), 20)
    end
    print(table.concat(cells))
  end
  io.stdout:flush()
end

-- -- the environment ---------------------------------------------------------------------------

local function first_line(command)
  local pipe <close> = assert(io.popen(command .. " 2>/dev/null"))
  return pipe:read "l" or "none"
end

local function read_environment()
  return {
    date = os.date "!%Y-%m-%dT%H:%M:%SZ",
    commit = first_line(("git -C '%s' describe --always --dirty"):format(ROOT)),
    kernel = first_line "uname -sr",
    processor = first_line "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo",
    processors = tonumber(first_line "nproc"),
    load = load_average(),
    user = first_line "id -u",
    sysctl = SYSCTLS,
    versions = {
      libuv = first_line "pkg-config --modversion libuv",
      lua = first_line "lua5.4 -v",
      lunet = lunet.version,
      luv = first_line "lua5.4 -e 'print(require[[luv]].version_string())'",
      cqueues = first_line "lua5.4 -e 'print(require[[cqueues]].VERSION)'",
      node = first_line "node --version",
      python = first_line "/usr/bin/python3 --version",
      uvloop = first_line "/usr/bin/python3 -c 'import uvloop; print(uvloop.__version__)'",
    },
  }
end

-- -- stored results ----------------------------------------------------------------------------

local function refuse(...)
  io.stderr:write("bench/run: ", (...):format(select(2, ...)), "\n")
  os.exit(2)
end

local function read_stored(path)
  local file <close>, why = io.open(path)
  local stored = file and dkjson.decode(file:read "a")
  if type(stored) == "table" and stored.results then return stored end
  refuse("%s", why or path .. ": no results as --store writes them")
end

local function write_stored(path, stored)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(json.encode(stored, { "environment", "results" }), "\n"))
  print("\nstored in " .. path)
end

-- By ratio: another machine, or another hour, has other figures.
local function compare(stored, now, path)
  print(("\nratios, before (%s, %s) and now"):format(path, stored.environment.date))
  for _, workload in ipairs(catalogue.workloads) do
    local old, new = stored.results[workload.name], now.results[workload.name]
    for name in pairs(old and new or {}) do
      for _, metric in ipairs(workload.metrics) do
        local function at(results)
          local base = results[workload.yardstick or "libuv"]
          return results[name] and base and results_of.ratio(results[name][metric[1]], base[metric[1]])
        end
        local before, after = at(old), at(new)
        if before and after and name ~= (workload.yardstick or "libuv") then
          print(("%-15s %-17s %-12s %7.2f %7.2f  %+4.0f %%"):format(workload.name, name, metric[1], before, after,
            (after / before - 1) * 100))
        end
      end
    end
  end
end

-- -- the command -------------------------------------------------------------------------------

local function list()
  for _, workload in ipairs(catalogue.workloads) do print(("%-15s %s"):format(workload.name, workload.what)) end
  print(("%-15s %s"):format("laboratory", "hosts and links, against ip(8); a table of its own, see bench/laboratory"))
  print ""
  for _, peer in ipairs(catalogue.peers) do print(("%-17s %s"):format(peer.name, peer.what)) end
end

local function chosen(names)
  local wanted, known = {}, { laboratory = true }
  for _, name in ipairs(names) do wanted[name] = true end
  local workloads = {}
  for _, workload in ipairs(catalogue.workloads) do
    known[workload.name] = true
    if #names == 0 or wanted[workload.name] then workloads[#workloads + 1] = workload end
  end
  for _, name in ipairs(names) do
    if not known[name] then refuse("no workload is named '%s'; see bench/run --list", name) end
  end
  return workloads, wanted.laboratory or #names == 0
end

local names = {}
for i, peer in ipairs(catalogue.peers) do
  names[i], names[peer.name] = peer.name, true
end
local parser = argparse("bench/run", "Measures lunet and its peers side by side: medians, and ratios against libuv.")
parser:argument("workload", "which; all of them by default"):args "*"
parser:option("--rounds", "how many rounds", "7"):convert(tonumber)
parser:option("--store", "where the results go, a JSON file", ROOT .. "/build/bench.json")
parser:option("--compare", "with these stored results")
parser:option("--against", "a build of another lunet (TREE/build/release), which takes its turns beside this one")
parser:option("--first", "the peer that begins the first round", "libuv"):convert(function(name)
  if names[name] then return name end
  return nil, ("no peer is named '%s'; see bench/run --list"):format(name)
end)
parser:flag("--list", "tell the workloads and the peers")
parser:option("--table", "print what is stored in this file as a table in Markdown, and measure nothing")
parser:flag("--tiny", "do next to no work: only to see whether everything works")
options = parser:parse(arg)

if options.list then
  list()
  os.exit(0)
end
if options.table then
  print(results_of.table(read_stored(options.table), names))
  os.exit(0)
end
local workloads, has_laboratory = chosen(options.workload)
if options.against then
  if options.against:sub(1, 1) ~= "/" then options.against = os.getenv "PWD" .. "/" .. options.against end
  if not exists(options.against .. "/lunet") then refuse("there is no %s/lunet", options.against) end
end
local stored = options.compare and read_stored(options.compare)
local now = { environment = read_environment(), results = {}, load = {} }
print(("load %.2f, %d processors, %s, reno"):format(now.environment.load, now.environment.processors,
  now.environment.kernel))
for _, workload in ipairs(workloads) do
  local rows, results = run(workload)
  show(workload, rows, results)
  now.results[workload.name] = results
  now.load[workload.name] = load_average()
end
print(("\nload %.2f at the end; medians of %d rounds; ratios within rounds (in brackets their middle half)"):format(
  load_average(), options.rounds))
if #workloads > 0 then write_stored(options.store, now) end
if stored then compare(stored, now, options.compare) end
if has_laboratory and not options.tiny then assert(os.execute(("'%s/laboratory'"):format(HERE))) end
