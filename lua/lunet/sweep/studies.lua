--- The studies of doc/studies/, each a sweep of at most 20 minutes on two processors. script/studies makes them.
local core = require "lunet.core"
local lunet = require "lunet"
local study = require "lunet.sweep.study"

local studies = {}

--- In the order of doc/studies/README.md.
---@type lunet.study[]
studies.LIST = {
  { name = "goodput", title = "At which backlog does goodput collapse?",
    text = [[
An overloaded server answers in time as long as a full queue takes less than the clients' patience. The rule of
thumb is a backlog of capacity * patience - 2. The model is an M/D/1/K or M/M/1/K queue that keeps the clients
who gave up (`lua/lunet/load/model.lua`): `predicted` is its goodput, `half_to` the greatest backlog with half
of what is due.]],
    words = { "sweep", "experiments/overload/retry_storm.lua", "--backlog", "1..29", "--patience", "0.05,0.1,0.2",
      "--distribution", "fixed,exponential", "--closed_loop", "12", "--where",
      "backlog >= 60 * patience - 2 and backlog <= 120 * patience + 5 and "
        .. "(backlog - 100 * patience) % (100 * patience // 8 + 1) == 0", "--runs", "6" },
    measures = { "goodput", "predicted" }, table = study.thresholds },

  { name = "storm", title = "How long does a retry storm last?",
    text = [[
A server stalls for half a second. Afterwards requests come at `load`, a share of its capacity, and each is
tried again up to `retries` times. `storm_s` is the time from the end of the stall until most requests are
answered again. Its median is the storm's half-life: half of the storms are over by then. A run watches 6 s.
`recovered=recovers` is the share of the storms that were over a second before, and the others count with all
of the time. A claim that holds is a storm without end. `predicted_s` is the model's; no run has it where
load * (1 + retries) is 1 or more, since the model's storm has no end there.]],
    words = { "sweep", "experiments/overload/metastable.lua", "--load", "0.2,0.25,0.3,0.4,0.5,0.6,0.7", "--retries",
      "0..3", "--where", "load * (1 + retries) <= 1.4", "--backlog", "30", "--stall", "0.5", "--after", "6",
      "--closed_loop", "12", "--runs", "6" },
    measures = { "storm_s", "recovered=recovers" } },

  { name = "phantoms", title = "How many clients are connected that the queue does not hold?",
    text = [[
`waiters` clients wait for a place in a full queue of `backlog` + 1, and one place becomes free. Without SYN
cookies the kernel answers backlog + 1 of them at most, and with cookies all; one gets the place. So the model
is min(waiters, backlog + 1) - 1 without cookies (`counts.1.phantoms`), and waiters - 1 with them
(`counts.2.phantoms`).]],
    words = { "sweep", "experiments/queue/phantom_connect.lua", "--waiters", "2..64*2", "--backlog", "5,20,80",
      "--cases", "counts", "--jobs", "4", "--runs", "6" },
    measures = { "counts.1.phantoms", "counts.2.phantoms" } },

  { name = "absorbed", title = "How much does a client send before its send blocks, if nobody accepts it?",
    text = [[
A client connects and sends in writes of one size until a send blocks. `sndbuf` is its SO_SNDBUF and `rcvbuf`
the listener's SO_RCVBUF; 0 leaves the size to the kernel, which lets the send buffer grow. `delay` is the
link's, one way.]],
    words = { "sweep", "experiments/pending_data.lua", "--write", "1024..1048576*4", "--sndbuf", "0,16384,131072",
      "--delay", "0,0.01", "--rcvbuf", "0,8192,131072", "--vary", "none", "--jobs", "2", "--runs", "6" },
    measures = { "absorbed.1.taken", "absorbed.1.at_server" } },

  { name = "stale", title = "How much of an overloaded server's work is stale, and which remedy ends it?",
    text = [[
A server with a queue of 61 gets 1.5 times as many requests as it can carry out, from clients that try three
times. A service takes 20 ms, so the patience over the service time is 50 * `patience`. `stale_work` is the
share of what was carried out for clients that had left before the work began; `wasted` adds those that left
during it. `with` is the server with the remedy, `without` one beside it, which has the same arrivals. The three
remedies restore goodput and drop nobody who still waits. But newest_in_time takes every connection out of the queue.
From a patience of 0.64 s on it holds more than 100 of them, where the claim allows 60: so it held in none of those.]],
    words = { "sweep", "experiments/overload/remedies.lua", "--patience", "0.04,0.08,0.16,0.32,0.64,0.96", "--remedy",
      "newest_in_time,request_deadline,short_backlog", "--part", "overload", "--service", "0.02", "--warm_up",
      "=3*patience", "--seconds", "=3*patience+2", "--runs", "6" },
    measures = { "with.stale_work", "without.stale_work", "with.goodput", "without.goodput" } },
}

--- The study of a name.
---@param name string
---@return lunet.study|nil
function studies.find(name)
  for _, one in ipairs(studies.LIST) do
    if one.name == name then return one end
  end
  return nil
end

local INDEX <const> = [[
# Studies

Each page answers one question by a sweep of one experiment, and has the command, the date, the kernel and the
intervals. `script/studies` makes all of them again, and `script/studies NAME` makes one: each takes up to 20 minutes
on two processors. The sweeps themselves, with the record of each run, stay in `build/studies/`.

| study | question |
|---|---|
]]

--- The index of the pages in a directory: doc/studies/README.md.
---@param into string
---@return string
function studies.index(into)
  local lines = {}
  for i, one in ipairs(studies.LIST) do
    local page <close> = io.open(("%s/%s.md"):format(into, one.name))
    lines[i] = ("| %s | %s |\n"):format(page and ("[%s](%s.md)"):format(one.name, one.name)
      or one.name .. " (not made yet)", one.title)
  end
  return INDEX .. table.concat(lines)
end

-- Standard error is the sweep's own: its line of progress.
local function sweep(program, asked, place)
  local words = table.move(asked.words, 1, #asked.words, 2, { program })
  table.move({ "--into", place }, 1, 2, #words + 1, words)
  local process <close> = assert(lunet.exec { stderr = "inherit", table.unpack(words) })
  for line in process.stdout:lines() do print(line) end
  return process:wait()
end

--- Does the sweeps of studies, or goes on with them, and writes their pages. A run whose claim does not hold is a
--- result like any other. A run that the machine disturbed is left out of the figures.
---@param program string lunet
---@param work string the directory for the sweeps, each in one of its own
---@param into string the directory for the pages
---@param ... string the names of studies; all without one
---@return integer status for the shell: 0, or that of the first sweep that could not be done
function studies.make(program, work, into, ...)
  local names = { ... }
  for i, one in ipairs(#names == 0 and studies.LIST or {}) do names[i] = one.name end
  for i, name in ipairs(names) do
    names[i] = studies.find(name)
    if not names[i] then
      io.stderr:write(("studies: there is no study '%s'\n"):format(name))
      return 2
    end
  end
  for _, asked in ipairs(names) do
    local place = work .. "/" .. asked.name
    local status = sweep(program, asked, place)
    if status ~= 0 and status ~= 4 then
      io.stderr:write(("studies: the sweep of %s ended with status %d\n"):format(asked.name, status))
      return status
    end
    study.write(asked, place, into)
    assert(core.replace_file(into .. "/README.md", studies.index(into)))
  end
  return 0
end

return studies
