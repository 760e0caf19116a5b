--- Real servers on hosts. A file lua/lunet/peer/servers/NAME.lua describes one, and this module starts it, bounded to
--- one client. The server runs as a user without rights, with all its files in a scratch directory.
---
---     local running = server.start("memcached", host, { address = link:address(host) })
---     local a = running:hold(clients, "A")              -- A has the only place
---     local b = running:ask(clients, "b", "B")          -- B has sent a whole request
---     b:close()
---     a:close()
---     local c = running:ask(clients, "c", "C")
---     assert(running:await_answer(c))                   -- C was served
---     print(running:evidence(c):find "b")               -- whether B's request was carried out
---     running:close()
---
--- CONTRIBUTING.md shows how to add one. A wait for a state that does not come within 60 s raises.
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local peer_process = require "lunet.peer.process"
local scratch = require "lunet.peer.scratch"

local server = {}

local LONG = 60 -- s; bounds waits for states that do come
local REST = 0.2 -- s in which a server that rests takes less than the 10 ms that the kernel counts by
local PORT = 7300

--- A description: what lua/lunet/peer/servers/NAME.lua returns.
---@class lunet.server
---@field packages string[] the Debian packages that bring it
---@field program string as lunet.run.needs.path takes it
---@field version string[] the arguments that make the program tell its version
---@field limit fun(n: integer): string what bounds its clients to n, in the words of its manual, or of its limits
---@field limits? fun(n: integer): table<string, number> as lunet.program's limits: what bounds its clients to n if it
--- has no setting for that, such as its descriptors
---@field arguments fun(running: lunet.running_server): (string|number)[] writes its configuration, and returns the
--- arguments: it stays in the foreground, and listens on all addresses, on running.port
---@field ready? string a pattern: what it logs when it serves, if that is later than it listens
---@field holds string what a client sends that takes the only place and keeps it
---@field held? string a pattern: what that client receives when it has the place. Without one it has the place as
--- soon as the server has accepted it and read what it sent
---@field request fun(word: string, running: lunet.running_server): string a whole request, which leaves the word behind
--- if it is carried out
---@field answer string a pattern: what a client receives whose request was carried out
---@field refusal? string what a client receives that is refused, in part; without one its connection only ends
---@field evidence fun(running: lunet.running_server, client: lunet.connection): string a text with the words of the
--- requests that were carried out. The client has been answered and may be asked on
---@field logged string[] patterns of what its log says of a client, WORD standing for the client's; each has captures
---@field statistics? fun(running: lunet.running_server, client: lunet.connection): string its own count of the clients
--- that it has refused, in its own words: "rejected_connections:1". The client has been answered and may be asked on
---@field looks? boolean whether it looks for clients that have left before it carries out what they asked for
---@field begin? fun(running: lunet.running_server) starts what the server needs beside it

---@class lunet.running_server
---@field description lunet.server
---@field name string
---@field host lunet.host
---@field port integer
---@field address string by which clients reach it
---@field place lunet.scratch its files
---@field process lunet.process
---@field clients integer how many it serves at once
---@field limit string what bounds them, as its description says
---@field is_handed boolean whether it accepts from descriptor 3 (sd_listen_fds(3))
---@field asked string[] the words of all requests so far
---@field backend? lunet.listener what it forwards to, if it does
---@field printed string what it has printed so far
local running = {}
running.__index = running

local function is_root()
  local status <close> = assert(io.open "/proc/self/status")
  return status:read("a"):match "\nUid:%s+%d+%s+(%d+)" == "0"
end

-- Root's rights would make another server of it, and some refuse to run as root.
local function as_nobody(words)
  if not is_root() then return words end
  local all = { "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups" }
  return table.move(words, 1, #words, #all + 1, all)
end

-- Waits for a program's end, and returns its status and what it printed.
local function finish(process)
  local program <close> = assert(process)
  local text = assert(program.stdout:receive("a", LONG))
  return program:wait(LONG), text
end

local DIRECTORY = debug.getinfo(1, "S").source:match "^@(.*)server%.lua$" .. "servers"

-- Gives a place away. In a run of a whole directory the place is in another one of lunet's own, which must let pass.
local function let_in_nobody(host, place)
  local above = place.path:match "^(.*)/[^/]*$"
  if above:find "/lunet%-%x+$" then finish(host:exec { "chmod", "711", above }) end
  finish(host:exec { "chown", "nobody:nogroup", place.path })
end

--- The names of all servers that the library describes, in order.
---@return string[]
function server.names()
  local names = {}
  for name in require("lfs").dir(DIRECTORY) do names[#names + 1] = name:match "^([^.].*)%.lua$" end
  table.sort(names)
  return names
end

--- A description by its name, or by the path of a file that returns one. Raises if there is none.
---@param name string
---@return lunet.server description
---@return string name
function server.describe(name)
  if name:find "/" then return dofile(name), (name:match "([^/]+)%.lua$") end
  local is_there, description = pcall(require, "lunet.peer.servers." .. name)
  if is_there then return description, name end
  if not description:find "^module '[^']*' not found" then error(description, 0) end
  error(("there is no server '%s': %s, or the path of a file"):format(name, table.concat(server.names(), ", ")), 0)
end

--- The programs of servers and their packages, as an experiment's `needs`. Raises for a server that there is not.
---@param names string[]
---@return table<string, string>
function server.needs(names)
  local programs = {}
  for _, name in ipairs(names) do
    local description = server.describe(name)
    programs[description.program] = table.concat(description.packages, ", ")
  end
  return programs
end

--- Whether what servers need is here.
---@param names string[]
---@return true|nil
---@return string? message what to install
function server.find_all(names) return needs.find(server.needs(names)) end

--- The version that a server's program tells.
---@param name string
---@return string version "1.6.18"
function server.version(name)
  local description = server.describe(name)
  local words = { needs.path(description.program), table.unpack(description.version) }
  words.stderr = "stdout"
  local _, text = finish(lunet.exec(words))
  return text:match "%d+%.%d+[%w.]*" or error(("%s tells no version: %s"):format(name, text), 0)
end

--- Starts a server on a host, and waits until it serves. Raises what it said if it does not, or which package is
--- missing.
---@param name string as server.describe takes it
---@param host lunet.host
---@param options? {address: string?, port: integer?, clients: integer?, limits: table?, listener: lunet.listener?}
--- where clients reach it (127.0.0.1), where it listens (7300), how many clients it serves (1); its limits as of
--- lunet.program; a listener on that port from which it accepts in place of one of its own. It is then not awaited: it
--- serves when its first client is answered
---@return lunet.running_server to be closed, or to end with its host
function server.start(name, host, options)
  local description, short = server.describe(name)
  local is_here, missing = server.find_all { name }
  if not is_here then error(missing, 0) end
  options = options or {}
  local place = scratch.open()
  local _undo <close> = setmetatable({}, { __close = function(_, failure) return failure and place:close() end })
  local self = setmetatable({ description = description, name = short, host = host, printed = "", asked = {},
    address = options.address or "127.0.0.1", port = options.port or PORT, place = place,
    clients = options.clients or 1, is_handed = options.listener ~= nil }, running)
  self.limit = description.limit(self.clients)
  if is_root() then let_in_nobody(host, place) end
  if description.begin then description.begin(self) end
  local words = as_nobody { needs.path(description.program), table.unpack(description.arguments(self)) }
  words.stderr, words.label, words.env = "stdout", short, { HOME = self.place.path }
  words.limits = options.limits or description.limits and description.limits(self.clients)
  if self.is_handed then
    words.fds = { [3] = options.listener }
    self.process = assert(host:exec(words))
    return self
  end
  self.process = peer_process.start(host, words, self.port)
  local function is_ready() return not description.ready or self:log():find(description.ready) end
  assert(lunet.eventually(is_ready, LONG), short .. " does not serve")
  return self
end

--- Runs a program as the server's user, such as one that makes its files. Raises what it printed if it fails.
---@param words (string|number)[] the program, as lunet.run.needs.path takes it, and its arguments
function running:run(words)
  words[1] = assert(needs.path(words[1]), words[1] .. " is missing")
  local all = as_nobody(words)
  all.stderr = "stdout"
  local status, text = finish(self.host:exec(all))
  if status ~= 0 then error(("%s ended with %s: %s"):format(words[1], status, text), 0) end
end

--- Writes a file into its place.
---@param name string
---@param text string PLACE in it stands for the path of the place, and PORT for the port of the server. LIMIT stands
--- for the setting that bounds its clients, and N for their number
---@return string path
function running:write(name, text)
  local words = { PLACE = self.place.path, PORT = tostring(self.port), LIMIT = self.limit, N = tostring(self.clients) }
  return self.place:write(name, (text:gsub("%f[%w]%u+%f[%W]", words)))
end

--- Waits until it takes no processor time for a while: the load of its start is over.
---@param timeout number seconds
---@return boolean whether that came
function running:await_rest(timeout)
  local deadline, before = lunet.now() + timeout, nil
  while lunet.now() < deadline do
    local usage = assert(self.process:usage())
    if before == usage.user + usage.system then return true end
    before = usage.user + usage.system
    lunet.sleep(REST)
  end
  return false
end

--- Its listening socket, as the kernel lists it.
---@return lunet.socket|nil
function running:listener()
  return assert(self.host:sockets { state = "LISTEN", local_port = self.port })[1]
end

--- The server's end of a client's connection, as the kernel lists it; see lunet.socket for what it does not list.
---@param port integer the client's
---@return lunet.socket|nil
function running:far_end(port)
  return assert(self.host:sockets { local_port = self.port, peer_port = port })[1]
end

--- Whether the server is done with a client: the kernel lists no end of it, or one that only waits out its time.
---@param port integer the client's
---@return boolean
function running:is_done_with(port)
  local socket = self:far_end(port)
  return not socket or socket.state == "TIME_WAIT"
end

--- Reads what a client receives until a pattern is found in it, it ends, or the time is over.
---@param client lunet.connection
---@param pattern? string without one, reads on
---@param timeout number seconds
---@return string|nil found what the pattern captures
---@return string text all that was received
---@return string|nil code "TIMEOUT", "EOF", "ECONNRESET"
function running.read_until(client, pattern, timeout)
  local text, deadline = "", lunet.now() + timeout
  while true do
    local part, _, code = client:receive(nil, math.max(0, deadline - lunet.now()))
    text = text .. (part or "")
    local found = pattern and text:match(pattern)
    if found or code then return found or nil, text, code end
  end
end

--- Sends a question and waits for its answer.
---@param client lunet.connection
---@param question string
---@param pattern string that is found in the whole answer
---@return string answer
function running.converse(client, question, pattern)
  assert(client:send(question))
  local found, text, code = running.read_until(client, pattern, LONG)
  assert(found, ("no answer to %s, but %s: %s"):format(question, code, text))
  return text
end

local function connect(self, from, label)
  return assert(from:connect({ address = self.address, port = self.port, label = label }, LONG))
end

-- Whether a client has a place, as far as can be seen within so many seconds, and what it received.
local function has_place(self, client, timeout)
  local held = self.description.held
  if held then
    local found, text = self.read_until(client, held, timeout)
    return found ~= nil, text
  end
  local _, port = client:address()
  return lunet.eventually(function()
    local socket = self:far_end(port)
    return socket and socket.owned and socket.receive_queue == 0
  end, timeout) or false, ""
end

--- Connects a client that takes a place and keeps it, if there is one.
---@param from lunet.host
---@param label? string its name on the timeline
---@param timeout number seconds to wait for the place
---@return lunet.connection client
---@return boolean is_held whether it has a place
---@return string text what it received
function running:try_to_hold(from, label, timeout)
  local client = connect(self, from, label)
  if self.description.holds ~= "" then client:send(self.description.holds, LONG) end
  return client, has_place(self, client, timeout)
end

--- Connects a client that takes a place, and waits until it has it.
---@param from lunet.host
---@param label? string its name on the timeline
---@return lunet.connection client
function running:hold(from, label)
  local client, is_held, text = self:try_to_hold(from, label, LONG)
  if not is_held then error(("%s did not let in its client: %s"):format(self.name, text), 0) end
  return client
end

--- Connects a client, and sends a whole request, unless the server has ended the connection before.
---@param from lunet.host
---@param word string that the request leaves behind
---@param label? string its name on the timeline
---@param last? integer the last byte of the request that it sends, as string.sub takes it
---@return lunet.connection client
function running:ask(from, word, label, last)
  local client = connect(self, from, label)
  self.asked[#self.asked + 1] = word
  client:send(self.description.request(word, self):sub(1, last or -1), LONG)
  return client
end

--- Waits until a client's request is answered.
---@param client lunet.connection
---@param timeout? number seconds, default 60
---@return boolean whether it was carried out
---@return string text what the client received instead
function running:await_answer(client, timeout)
  local found, text = self.read_until(client, self.description.answer, timeout or LONG)
  return found ~= nil, text
end

--- The words of the requests that were carried out.
---@param client lunet.connection that was answered
---@return string
function running:evidence(client) return self.description.evidence(self, client) end

--- The server's own count of the clients that it has refused.
---@param client lunet.connection that was answered
---@return string|nil counted in the server's words: "rejected_connections:1"; nil: it counts none
function running:statistics(client)
  local ask = self.description.statistics
  return ask and ask(self, client)
end

--- The same as running:evidence, when nothing was added to it for some time.
---@param client lunet.connection that was answered
---@param quiet number seconds
---@return string
function running:settled_evidence(client, quiet)
  local text, since = self:evidence(client), lunet.now()
  while lunet.now() - since < quiet do
    lunet.sleep(quiet / 4)
    local more = self:evidence(client)
    if more ~= text then text, since = more, lunet.now() end
  end
  return text
end

--- The text of a file in its place; "" as long as there is none.
---@param name string
---@return string
function running:file(name)
  local file <close> = io.open(self.place.path .. "/" .. name)
  return file and file:read "a" or ""
end

--- Its log since it started: the text that it printed, and its file "log".
---@return string
function running:log()
  while true do
    local part = self.process.stdout:receive(nil, 0)
    if not part then break end
    self.printed = self.printed .. part
  end
  return self.printed .. self:file "log"
end

--- The words of the log about a client, in the description's terms.
---@param word string of the client's request
---@param log? string the part of the log to look at
---@return string said "nothing", or what was captured: "200, AH00161"
function running:logged(word, log)
  local said = {}
  log = log or self:log()
  for _, pattern in ipairs(self.description.logged) do
    local captured = { log:match((pattern:gsub("WORD", word))) }
    if #captured > 0 then said[#said + 1] = table.concat(captured, " ") end
  end
  return #said > 0 and table.concat(said, ", ") or "nothing"
end

--- Ends it, and removes its files. Idempotent.
function running:close()
  if self.backend then self.backend:close() end
  self.process:close()
  self.place:close()
end

running.__close = running.close

return server
