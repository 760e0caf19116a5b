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
local library = require "lunet.peer.library"
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local nobody = require "lunet.peer.nobody"
local peer_process = require "lunet.peer.process"
local program = require "lunet.peer.running"
local scratch = require "lunet.peer.scratch"

---@class lunet.server_library: lunet.peer_library
---@field describe fun(name: string): lunet.server, string
local server = library.open "server"

local LONG = 60 -- s; bounds waits for states that do come
local REST = 0.2 -- s in which a server that rests takes less than the 10 ms that the kernel counts by
local PORT = 7300

--- A description: what lua/lunet/peer/servers/NAME.lua returns.
---@class lunet.server: lunet.peer_description
---@field limit? fun(n: integer): string what bounds its clients to n, in the words of its manual, or of its limits;
--- without one nothing bounds them
---@field limits? fun(n: integer): table<string, number> as lunet.program's limits: what bounds its clients to n if it
--- has no setting for that, such as its descriptors
---@field arguments fun(running: lunet.running_server): (string|number)[] writes its configuration, and returns the
--- arguments: it stays in the foreground, and listens on all addresses, on running.port
---@field ready? string a pattern: what it logs when it serves, if that is later than it listens
---@field holds string what a client sends that takes the only place and keeps it
---@field holds_for? number seconds for which a client keeps it, if that is not for good
---@field held? string a pattern: what that client receives when it has the place. Without one it has the place as
--- soon as the server has accepted it and read what it sent
---@field request fun(word: string, running: lunet.running_server): string a whole request, which leaves the word behind
--- if it is carried out
---@field more? fun(word: string, running: lunet.running_server): string the same of a client that has a place; default
--- `request` without `holds`
---@field answer string a pattern: what a client receives whose request was carried out
---@field refusal? string what a client receives that is refused, in part; without one its connection only ends
---@field evidence fun(running: lunet.running_server, client: lunet.connection): string a text with the words of the
--- requests that were carried out. The client has been answered and may be asked on
---@field logged string[] patterns of what its log says of a client, WORD standing for the client's; each has captures
---@field statistics? fun(running: lunet.running_server, client: lunet.connection): string its own count of the clients
--- that it has refused, in its own words: "rejected_connections:1". The client has been answered and may be asked on
---@field looks? true|"reset" whether it looks for clients that have left before it carries out what they asked for;
--- "reset": it notices only those that left by an RST
---@field looks_frozen? boolean|"reset" the same of a server that was stopped meanwhile; default `looks`
---@field is_interrupted? boolean whether it drops the client from which it was reading when it was stopped
---@field races? "reset" of a client that leaves in this way, it may hear before it has carried out what that asked for:
--- chance decides
---@field greets? integer how many times it writes to a new client before it carries out what that one asks for; default
--- 0. It hears that a client has left when it has written to it once, or at once after an RST
---@field first? string what its own clients send before they hear from the server, if that is not the request
---@field workers? "accept"|"read" "accept": the processes that it starts accept its clients; "read": it accepts them
--- itself and starts a process for each. Without one the first process does all, or each process does
---@field through? fun(running: lunet.running_server): string[] the words of a program that runs it as its child
---@field begin? fun(running: lunet.running_server) starts what the server needs beside it
---@field build? fun(running: lunet.running_server): string makes the program that is started in place of `program`, and
--- returns its path

--- PORT stands in its files for its port, LIMIT for the setting that bounds its clients, N for their number. BACKEND
--- stands for the port of what it forwards to.
---@class lunet.running_server: lunet.running
---@field description lunet.server
---@field port integer
---@field address string by which clients reach it
---@field clients integer how many it serves at once
---@field limit string what bounds them, as its description says
---@field is_handed boolean whether it accepts from descriptor 3 (sd_listen_fds(3))
---@field asked string[] the words of all requests so far
---@field backend? lunet.listener what it forwards to, if it does
local running = setmetatable({}, { __index = program })
running.__index = running

--- Whether a server looks for clients that have left before it carries out what they asked for.
---@param description lunet.server
---@param departure string how the client left: "close", "reset", "shutdown"
---@param is_frozen? boolean whether the server was stopped meanwhile
---@return boolean
function server.looks(description, departure, is_frozen)
  local looks = description.looks
  if is_frozen and description.looks_frozen ~= nil then looks = description.looks_frozen end
  return looks == true or looks == departure
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
  self.limit = description.limit and description.limit(self.clients) or "none"
  self.words = { PLACE = place.path, PORT = tostring(self.port), LIMIT = self.limit, N = tostring(self.clients) }
  nobody.let_in(host, place)
  if description.begin then description.begin(self) end
  if self.backend_port then self.words.BACKEND = tostring(self.backend_port) end
  local path = description.build and description.build(self) or needs.path(description.program)
  local command = { path, table.unpack(description.arguments(self)) }
  local through = description.through and description.through(self) or {}
  local words = nobody.program(table.move(command, 1, #command, #through + 1, through), place)
  words.label = short
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

--- Waits until it is idle and has taken no processor time for a while: the load of its start is over.
---@param timeout number seconds
---@return boolean whether that came
function running:await_rest(timeout)
  local deadline, before = lunet.now() + timeout, nil
  while lunet.now() < deadline do
    local usage = assert(self.process:usage())
    if before == usage.user + usage.system and peer_process.is_idle(self.process) then return true end
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
---@param text? string what it has received before; default ""
---@return string|nil found what the pattern captures
---@return string text all that was received
---@return string|nil code "TIMEOUT", "EOF", "ECONNRESET"
function running.read_until(client, pattern, timeout, text)
  local deadline = lunet.now() + timeout
  text = text or ""
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

--- Connects a client that has begun a request, or logged in if there is a login, and waits until the server has read
--- that. running:go_on sends the rest.
---@param from lunet.host
---@param word string that the request leaves behind
---@param label? string its name on the timeline
---@return lunet.connection client
---@return string text what it has received
function running:begin(from, word, label)
  if self.description.held then
    local client, is_held, text = self:try_to_hold(from, label, LONG)
    assert(is_held, self.name .. " did not let in its client")
    return client, text
  end
  local client = self:ask(from, word, label, 1)
  assert(has_place(self, client, LONG), self.name .. " does not read")
  return client, ""
end

--- Sends the rest of a request that was begun.
---@param client lunet.connection of running:begin
---@param word string the same
function running:go_on(client, word)
  local description = self.description
  local more = description.more or description.request
  local text, holds = more(word, self), description.holds
  if not description.held then
    text = text:sub(2)
  else
    self.asked[#self.asked + 1] = word
    if text:sub(1, #holds) == holds then text = text:sub(#holds + 1) end
  end
  client:send(text, LONG)
end

--- Lets a client leave, and waits until the server's kernel knows: it lists no connection that was reset.
---@param client lunet.connection
---@param departure "close"|"reset"|"shutdown"
function running:leave(client, departure)
  local _, port = client:address()
  if departure == "reset" then
    lunet.eventually(function() -- a RST that overtakes the request is ignored
      local socket = self:far_end(port)
      return not socket or socket.state == "SYN_RECV" or client:unsent() == 0
    end, LONG)
  end
  client[departure](client)
  assert(lunet.eventually(function()
    local socket = self:far_end(port)
    return not socket or departure ~= "reset" and (socket.fin or not socket.owned and socket.state ~= "ESTABLISHED")
  end, LONG), "the server's kernel does not hear that a client has left")
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

--- Connects later clients, one after the other, until one is answered.
---@param from lunet.host
---@param label? string its name on the timeline
---@return lunet.connection client whose word is "later"
function running:be_answered(from, label)
  return assert(lunet.eventually(function()
    local client = self:ask(from, "later", label)
    if self:await_answer(client) then return client end
    client:close()
  end, LONG))
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

--- Ends it, and removes its files. Idempotent.
function running:close()
  if self.backend then self.backend:close() end
  self.process:close()
  self.place:close()
end

running.__close = running.close

return server
