--- The sections of the field guide: each asks a question, and answers it by the rows of one experiment's outcome.

--- A section. A cell is the value of a row's field; a field of the list `also` has the same index as its row.
---@class lunet.guide_section
---@field title string a question
---@field words string what the experiment does, in a sentence or two
---@field experiment string
---@field file string of the experiment
---@field list string the list of the outcome that has the rows
---@field also? string another list of the outcome, with more fields of the same rows
---@field where? fun(row: table): boolean which rows of the list it shows; default all
---@field joined? table<string, table> fields that are another row's: its field, and what distinguishes that row
---@field alike? string[] the fields that the two rows have in common
---@field with? table<string, any> knobs of the run, if it shows one of several runs of the experiment
---@field program string[] the fields that name the program and its version
---@field columns {[1]: string, [2]: string, [3]: string?}[] field, heading and, if the heading does not say all, its
--- meaning
---@field hurts {[1]: string, [2]: fun(row: table): number} the field that hurts, and how much a row hurts, from 0 on.
--- The rows that hurt most come first
---@field same? table<string, string> knobs that reproduce a row and are the same for all
---@field knobs table<string, string> the knobs that reproduce a row: each name, and the row's field for its value

local LIMITS = "experiments/servers/server_limits.lua"
local PATIENCE = "experiments/servers/client_patience.lua"
local FROZEN = "experiments/servers/frozen_servers.lua"
local FORWARDERS = "experiments/servers/forwarders.lua"
local STUCK = "experiments/servers/stuck_servers.lua"

local ACCEPTED = { "accepted", "accepted?", "whether the server had accepted the client before it left" }
local HANDED = { "handed", "clients come to workers", "taken: free workers take them from one listening queue; by "
  .. "hash: each worker has a queue (SO_REUSEPORT); the others are ways of one process or thread that accepts for all" }

local FROZEN_COLUMNS = {
  accepted = { "accepted", "accepted", "whether the server had accepted the client before it was stopped, or did so "
    .. "after" },
  { "carried_out", "carried out after a FIN?" },
  { "by_reset", "after an RST?" },
  { "answer_half", "a half-closed client gets", "what a client receives that ended its side and waits; other: an "
    .. "answer to something else" },
  { "log", "its log says", "of the client that left by FIN" },
}
local BY_DEPARTURE = { by_reset = { "carried_out", departure = "reset" },
  answer_half = { "answer", departure = "shutdown" } }

-- How much it hurts that requests are carried out whose clients have left.
local function stays_done(row) return (row.carried_out and 2 or 0) + (row.by_reset and 1 or 0) end

local PATIENCE_COLUMNS = {
  { "seconds", "s", "from its first SYN until it gives up, with default settings" },
  { "tries", "tries", "how many connections it has tried to make by then" },
  { "connections", "connections", "how many it has made" },
  { "ghosts", "left in the queue", "how many of them wait there without a client" },
  { "status", "exit status", "runs on: it does not end by itself; waits: it has not given up" },
  { "words", "its words" },
}

-- A client that has not given up hurts more than any that has.
local function patience_of(row) return math.type(row.seconds) and row.seconds or math.huge end

local AT_LIMIT = { stops = 2, holds = 1, refuses = 0 }

---@type lunet.guide_section[]
return {
  {
    title = "Will it carry out requests of clients that left?",
    words = "A server serves one client, which keeps the only place. A second client connects, sends a whole request, "
      .. "waits for 2 s, and leaves. Then the first one leaves, too.",
    experiment = "server_limits", file = LIMITS, list = "rows", also = "servers", program = { "program" },
    columns = {
      { "carried_out", "carried out?", "whether the server carried out the request of the client that had left" },
      ACCEPTED,
      { "unread", "unread?", "whether the request waited in the kernel, in the listening queue, when the client left" },
      { "log", "its log says of that client", "a status of 200 is no sign that anybody read the answer" },
    },
    hurts = { "carried_out", function(row) return row.carried_out == true and 1 or 0 end },
    knobs = { server = "server" },
  },
  {
    title = "It stood still and goes on: what of clients that left meanwhile?",
    words = "The whole server is stopped (SIGSTOP). A client sends a whole request and leaves. The server goes on.",
    experiment = "frozen_servers", file = FROZEN, list = "rows", program = { "program" },
    where = function(row) return row.frozen == "whole" and row.departure == "close" end,
    joined = BY_DEPARTURE, alike = { "server", "frozen", "accepted" },
    columns = { FROZEN_COLUMNS.accepted, table.unpack(FROZEN_COLUMNS) },
    hurts = { "carried_out", stays_done }, same = { frozen = "whole" },
    knobs = { server = "server", accepted = "accepted" },
  },
  {
    title = "Only its first process, or only its workers, stood still: what of clients that left meanwhile?",
    words = "The same with a part of the server, where that makes a difference. A process that is not stopped goes on "
      .. "serving.",
    experiment = "frozen_servers", file = FROZEN, list = "rows", program = { "program" },
    where = function(row) return row.frozen ~= "whole" and row.departure == "close" end,
    joined = BY_DEPARTURE, alike = { "server", "frozen", "accepted" },
    columns = {
      { "frozen", "stopped", "master: its first process; workers: all others" },
      FROZEN_COLUMNS.accepted,
      { "sees", "the client sees", "meanwhile" },
      table.unpack(FROZEN_COLUMNS),
    },
    hurts = { "carried_out", function(row) return row.sees == "nothing" and stays_done(row) or 0 end },
    knobs = { server = "server", frozen = "frozen", accepted = "accepted" },
  },
  {
    title = "What does a client see at the limit?",
    words = "The same second client, while the first one has the only place.",
    experiment = "server_limits", file = LIMITS, list = "rows", also = "servers", program = { "program" },
    columns = {
      { "sees", "the client sees", "nothing: connect and send succeed, and no answer comes" },
      { "at_limit", "the server", "stops: it accepts nobody; holds: it accepts, and is silent; refuses: it says so, "
        .. "or closes the connection" },
      { "backlog", "listen limit", "how many the listening queue holds, and what that becomes meanwhile" },
    },
    hurts = { "sees", function(row) return row.sees == "nothing" and 2 or row.sees == "closed" and 1 or 0 end },
    knobs = { server = "server" },
  },
  {
    title = "Which knob changes it?",
    words = "The setting that bounds a server to one client. Several settings of one program are rows of their own.",
    experiment = "server_limits", file = LIMITS, list = "rows", also = "servers", program = { "program" },
    columns = {
      { "limit", "setting" },
      { "at_limit", "at that limit it", "as above" },
      { "carried_out", "carried out?", "as above" },
    },
    hurts = { "at_limit", function(row) return AT_LIMIT[row.at_limit] end },
    knobs = { server = "server" },
  },
  {
    title = "How long does your client wait?",
    words = "The client connects to a server that never accepts. Connect succeeds, since the kernel completes the "
      .. "handshake.",
    experiment = "client_patience", file = PATIENCE, list = "rows", with = { server = "never", option = "default" },
    program = { "client", "version" }, columns = PATIENCE_COLUMNS, hurts = { "seconds", patience_of },
    knobs = { client = "client" },
  },
  {
    title = "How long does it wait for a connection?",
    words = "The client connects to a server whose listening queue is full. The kernel drops its SYN.",
    experiment = "client_patience", file = PATIENCE, list = "rows", with = { server = "full", option = "default" },
    program = { "client", "version" }, columns = PATIENCE_COLUMNS, hurts = { "seconds", patience_of },
    knobs = { client = "client" },
  },
  {
    title = "What does your proxy hide?",
    words = "The client connects through a forwarder to a server that is not there, has a full queue, or never "
      .. "accepts, and waits.",
    experiment = "forwarders", file = FORWARDERS, list = "rows", program = { "program" },
    columns = {
      { "server", "the server", "closed: nobody listens; full: its queue is full; frozen: it never accepts" },
      { "connect", "connect says" },
      { "told", "the client hears", "nothing: not as long as the run let it wait" },
      { "after", "after s" },
      { "logged", "its log says" },
    },
    hurts = { "told", function(row)
      if row.connect ~= "ok" then return 0 end
      return row.told == "nothing" and math.huge or row.after
    end },
    knobs = { forwarder = "forwarder", server = "server" },
  },
  {
    title = "Does a proxy deliver requests of clients that left?",
    words = "Clients leave their request with the forwarder while the server has no room or does not accept. Then the "
      .. "server accepts again.",
    experiment = "forwarders", file = FORWARDERS, list = "rows", program = { "program" },
    where = function(row) return row.server ~= "closed" end,
    columns = {
      { "server", "the server", "full: its queue was full; frozen: it did not accept" },
      { "by_close", "after a FIN?", "whether the request of a client that had closed its connection was delivered" },
      { "by_reset", "after an RST?", "the same of a client that had reset it" },
    },
    hurts = { "by_close", function(row)
      return (row.by_close == "yes" and 2 or 0) + (row.by_reset == "yes" and 1 or 0)
    end },
    knobs = { forwarder = "forwarder", server = "server" },
  },
  {
    title = "One worker is stuck: which clients hang?",
    words = "One of two workers is stopped (SIGSTOP, or ptrace for a thread), and 20 clients come. Those that hang "
      .. "leave, and as many come again, from new ports. Then the worker goes on.",
    experiment = "stuck_servers", file = STUCK, list = "rows", program = { "program" },
    columns = {
      HANDED,
      { "hang", "hang" },
      { "queued", "of them queued", "they wait in a listening queue" },
      { "accepted", "accepted", "they cannot tell that from a server that works" },
      { "hang_again", "hang at the retry" },
      { "carried_out", "carried out later", "how many requests of clients that had left" },
      { "says", "the server says of itself", "meanwhile, when it is asked for its status; -: it cannot be asked" },
      { "watchdog", "ends the worker?", "whether it ends the stuck worker by itself; -: nobody looked" },
    },
    hurts = { "hang", function(row) return row.hang end },
    same = { happens = "stuck" }, knobs = { server = "server" },
  },
  {
    title = "A graceful stop or reload: what becomes of waiting clients?",
    words = "All workers are stopped, as if they were busy, and 5 clients come. The server is told to stop, or to "
      .. "reload, gracefully; half a second later the workers go on.",
    experiment = "stuck_servers", file = STUCK, list = "orders", program = { "program" },
    columns = {
      { "order", "order" },
      { "reset", "reset" },
      { "served", "served" },
      { "hangs", "hang" },
      { "queued", "were queued", "in the kernel; the others were accepted" },
      { "newcomer", "a client that comes after the order" },
      { "ends", "the server ends?" },
    },
    hurts = { "reset", function(row) return row.reset + row.hangs + row.closed end },
    knobs = { server = "server", happens = "order" },
  },
}
