--- `lunet kernels`: the kernels under which `lunet --kernel` can run, and those that are in the cache.
local cache = require "lunet.kernel.cache"
local json = require "lunet.text.json"
local provision = require "lunet.kernel.provision"
local release = require "lunet.text.release"
local standard = require "lunet.command.standard"
local tabular = require "lunet.text.table"
local verdict = require "lunet.run.verdict"

local kernels = {}

local KNOWN <const> = " (known: --help, --fetch, --virtual-time, --remove, --json)"
local COLUMNS <const> = 120
local IN_ORDER <const> = { "kernel", "engine", "cached", "megabytes", "package", "suite" }
local MEGABYTE <const> = 1e6

local function parser_for()
  local parser = standard.parser("kernels", "Show the kernels under which lunet --kernel can run: Debian's user-mode "
    .. "Linux, those for an emulated machine, and what is in the cache.", "Exit status: 0 done, 2 wrong use, 3 there "
    .. "is no such kernel, or it could not be fetched or removed, 130 Ctrl-C, 143 SIGTERM.")
  parser:mutex(
    parser:option "--fetch":argname "VERSION":description "Fetch a kernel into the cache.",
    parser:option "--remove":argname "VERSION":description "Remove a kernel from the cache; all: all of them.",
    parser:flag "--json":description "Print one JSON object and nothing else.")
  parser:flag "--virtual-time":description "With --fetch: the kernel for an emulated machine."
  return parser
end

-- A kernel's own size, with that of the guests of it that were saved.
local function megabytes_of(kernel)
  local bytes = cache.bytes_in(kernel.path)
  for _, path in ipairs(kernel.source.saved and kernel.source.saved(kernel) or {}) do
    bytes = bytes + cache.bytes_in(path)
  end
  return math.ceil(bytes / MEGABYTE)
end

-- The kernels in the cache, and with them those that were saved.
local function cached()
  local all = {}
  for _, source in ipairs(provision.SOURCES) do
    for _, kernel in ipairs(source.cached()) do
      kernel.source = source
      all[#all + 1] = kernel
    end
  end
  return all
end

-- A row for each line of kernels that Debian has, and for others in the cache.
local function rows_of(available, here)
  local rows, is_known = {}, {}
  for _, kernel in ipairs(available or {}) do
    local has_version = kernel.package:find "%d" -- "linux-image-6.1.0-57-cloud-amd64"
    local row = { kernel = kernel.line, engine = kernel.source.ENGINE, suite = kernel.suite,
      package = has_version and kernel.package or ("%s %s"):format(kernel.package, kernel.version) }
    for _, found in ipairs(here) do
      if found.source == kernel.source and release.is_named(found.release, kernel.line) then
        row.cached, row.megabytes, is_known[found] = found.release:match "^[%d.]+", megabytes_of(found), true
      end
    end
    rows[#rows + 1] = row
  end
  for _, found in ipairs(here) do
    if not is_known[found] then
      rows[#rows + 1] = { kernel = release.line(found.release), cached = found.release, engine = found.source.ENGINE,
        megabytes = megabytes_of(found) }
    end
  end
  return rows
end

local function fetch(version, emulated)
  local kernel, why = provision.find(version, { tell = standard.complain, emulated = emulated })
  if not kernel then return standard.could_not_run("kernels", why) end
  return standard.tell(("Linux %s is in %s"):format(kernel.release, kernel.path)) and verdict.DONE
    or verdict.COULD_NOT_RUN
end

local function remove(version)
  local removed, why = provision.remove(version, standard.complain)
  if not removed then return standard.could_not_run("kernels", why) end
  return standard.tell("removed " .. table.concat(removed, ", ")) and verdict.DONE or verdict.COULD_NOT_RUN
end

local function tell_all(as_json)
  local available, why = provision.list(standard.complain)
  if why then standard.complain("note: " .. why) end
  local rows = rows_of(available, cached())
  local words
  if as_json then
    words = json.encode({ cache = cache.path(), kernels = rows }, { "cache", "kernels" })
  elseif #rows == 0 then
    words = "There is no kernel in the cache, and Debian's lists cannot be had."
  else
    words = table.concat(tabular.lines(rows, IN_ORDER, COLUMNS), "\n")
      .. "\n\nThe cache is " .. assert(cache.path())
  end
  return standard.tell(words) and verdict.DONE or verdict.COULD_NOT_RUN
end

--- Runs the command.
---@param _ string the first word
---@param arguments string[] the words after it
---@return integer status the program's exit status
function kernels.run(_, arguments)
  local parser = parser_for()
  local ok, options = parser:pparse(arguments)
  if not ok then return standard.misuse("kernels", options .. KNOWN) end
  if options.help then return standard.help(parser) end
  if options.fetch then return fetch(options.fetch, options.virtual_time) end
  if options.virtual_time then return standard.misuse("kernels", "--virtual-time goes with --fetch" .. KNOWN) end
  if options.remove then return remove(options.remove) end
  return tell_all(options.json)
end

return kernels
