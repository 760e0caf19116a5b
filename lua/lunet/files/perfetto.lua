--- A run for ui.perfetto.dev and chrome://tracing, in the Trace Event Format. A host is a process, and a socket is a
--- thread. A call that waited has its length; other calls are instants. Segments are arrows between hosts, and queues
--- are counters.
local json = require "lunet.text.json"
local timeline = require "lunet.recording.timeline"

local perfetto = {}

local KEYS <const> = { "name", "cat", "ph", "ts", "dur", "pid", "tid", "id", "bp", "s", "args" }
local HOST <const> = 0 -- the thread for the segments and the kernel of a host; those of sockets have their numbers

local function name_of(e)
  if e.kind == "note" then return e.text end
  return e.code and ("%s: %s"):format(e.kind, e.code) or e.kind
end

-- The event in the timeline's words.
local function args_of(e, sentence)
  return json.object { what = sentence, bytes = e.bytes, code = e.code, local_address = e.local_address,
    peer_address = e.peer_address }
end

local writers = {}

function writers.call(e, to_us, sentence)
  local began = e.since or e.at
  return {
    name = name_of(e), cat = "call", ph = e.since and "X" or "i", ts = to_us(began),
    dur = e.since and to_us(e.at) - to_us(began) or nil, pid = e.host or HOST, tid = e.socket or HOST,
    s = not e.since and "t" or nil, args = args_of(e, sentence),
  }
end

function writers.note(e, to_us)
  return { name = e.text, cat = "note", ph = "i", ts = to_us(e.at), pid = HOST, tid = HOST, s = "g" }
end

function writers.queue(e, to_us)
  return { name = ("queue of %s"):format(e.label or e.local_address or "a listener"), cat = "queue", ph = "C",
    ts = to_us(e.at), pid = e.host, tid = HOST, args = { depth = e.depth, limit = e.limit } }
end

-- A look at the kernel.
local function look(e, to_us, args)
  return { name = e.kind, cat = "kernel", ph = "i", ts = to_us(e.at), pid = e.host, tid = HOST, s = "p", args = args }
end

function writers.counters(e, to_us) return look(e, to_us, json.object(e.moved)) end
function writers.unseen(e, to_us, sentence) return look(e, to_us, args_of(e, sentence)) end
function writers.sockets(e, to_us) return look(e, to_us, { changed = e.changed }) end

-- An arrow needs a slice at each end.
local function add_segment(list, e, to_us, number, text)
  local function slice(at, host) return { name = text, cat = "segment", ph = "X", ts = to_us(at), dur = 1, pid = host,
    tid = HOST, args = json.object { from = e.from, to = e.to, sequence = e.sequence, lost = e.lost } } end
  local function flow(kind, at, host) return { name = text, cat = "segment", ph = kind, ts = to_us(at), pid = host,
    tid = HOST, id = number, bp = kind == "f" and "e" or nil } end
  if e.host then list[#list + 1] = slice(e.at, e.host) end
  if e.arrived and e.to_host then list[#list + 1] = slice(e.arrived, e.to_host) end
  if e.host and e.arrived and e.to_host and e.host ~= e.to_host then
    list[#list + 1] = flow("s", e.at, e.host)
    list[#list + 1] = flow("f", e.arrived, e.to_host)
  end
end

local function names(run)
  local list = { { name = "process_name", ph = "M", pid = HOST, tid = HOST, args = { name = "notes" } } }
  for number in pairs(run.hosts) do
    local name = run:host_name(number)
    list[#list + 1] = { name = "process_name", ph = "M", pid = number, tid = HOST, args = { name = name } }
    list[#list + 1] = { name = "thread_name", ph = "M", pid = number, tid = HOST,
      args = { name = "segments and kernel" } }
  end
  table.sort(list, function(a, b) return a.pid < b.pid end)
  return list
end

--- Makes the file's content.
---@param run lunet.run
---@return string
function perfetto.encode(run)
  local list, first, lines_of_events = names(run), run:earliest(), run:lines()
  local function to_us(at) return math.floor((at - first) * 1e9 + 0.5) / 1000 end
  for i, e in ipairs(run.events) do
    local line = lines_of_events[i]
    local sentence = line and timeline.sentence(line)
    if e.kind == "segment" then
      add_segment(list, e, to_us, i, sentence or e.flags)
    else
      list[#list + 1] = (writers[e.kind] or writers.call)(e, to_us, sentence)
    end
  end
  local lines = {}
  for i, entry in ipairs(list) do lines[i] = json.encode(entry, KEYS) end
  return '{"displayTimeUnit":"ms","traceEvents":[\n' .. table.concat(lines, ",\n") .. "\n]}\n"
end

return perfetto
