--- Real forwarders on hosts: programs that take a client's connection and make another one to a server. A file
--- lua/lunet/peer/forwarders/NAME.lua describes one, and this module starts it between two hosts. It runs as a user
--- without rights, with all its files in a scratch directory.
---
---     local running = forwarder.start("socat", host, { address = near, server = "10.0.1.2", server_port = 7300 })
---     local client = running:connect(clients, "A", 5)
---     client:send(running:request "word")
---     print(running:await_end(client, 5))               -- "FIN", or "RST", or "502"
---     print(running:logged(running:log()))
---     running:close()
---
--- CONTRIBUTING.md shows how to add one. A wait for a state that does not come within 60 s raises.
local inside = require "lunet.peer.inside"
local library = require "lunet.peer.library"
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local nobody = require "lunet.peer.nobody"
local peer_process = require "lunet.peer.process"
local program = require "lunet.peer.running"
local scratch = require "lunet.peer.scratch"

---@class lunet.forwarder_library: lunet.peer_library
---@field describe fun(name: string): lunet.forwarder, string
local forwarder = library.open "forwarder"

local LONG = 60 -- s; bounds waits for states that do come
local PORT = 7300
local BACKLOG = 128 -- of the socket that a forwarder is handed

--- A description: what lua/lunet/peer/forwarders/NAME.lua returns. Upper-case words in its files stand for values:
--- PLACE for the path of the place, PORT for its port, USER for its user. SERVER and BEHIND are the server's address
--- and port.
---@class lunet.forwarder: lunet.peer_description
---@field command? fun(running: lunet.running_forwarder): (string|number)[] writes its configuration, and returns the
--- program with its arguments: it stays in the foreground, and listens on all addresses, on running.port
---@field version_of? string the program that tells the version, if the program itself does not; `version` has its
--- arguments
---@field begin? fun(running: lunet.running_forwarder) starts what it needs beside it
---@field is_handed? boolean whether it accepts from descriptor 3 (sd_listen_fds(3))
---@field open? fun(running: lunet.running_forwarder): lunet.rule in place of a command: what forwards if no program
--- does
---@field listens boolean whether it accepts its clients from a listening socket
---@field device? string the file that it opens, if not every user may: "/dev/net/tun". Its clients then are in a
--- network of its own, as of lunet.peer.inside
---@field request? fun(word: string): string what a client sends, which has the word; default the word as a line
---@field speaks_first? boolean whether it makes its connection only when its client has sent the request
---@field answers? string a pattern: what a client receives from the forwarder itself: "^HTTP/1.1 (%d+)"
---@field tells? string[] what a client may hear if the server cannot be reached, in the words of running:await_end;
--- default { "FIN" }
---@field delivers {close: boolean, reset: boolean} whether it delivers the request of a client that has left so, while
--- the server's queue was full
---@field logged string[] patterns of what its log says of a client; each has captures

---@class lunet.running_forwarder: lunet.running
---@field description lunet.forwarder
---@field address string by which clients reach it
---@field port integer
---@field server string the server's address
---@field server_port integer
---@field process lunet.process|lunet.rule
---@field beside lunet.process[] what `begin` has started
local running = setmetatable({}, { __index = program })
running.__index = running

local tell_version = forwarder.version

--- The version that a forwarder tells, or that the program beside it tells for it.
---@param name string as forwarder.describe takes it
---@return string version "1.7.4.4"
function forwarder.version(name)
  local description = forwarder.describe(name)
  if not description.version_of then return tell_version(name) end
  local words = { assert(needs.path(description.version_of)), table.unpack(description.version) }
  words.stderr = "stdout"
  local _, text = peer_process.finish(lunet.exec(words))
  return text:match "%d+%.%d+[%w.~]*" or error(("%s tells no version: %s"):format(name, text), 0)
end

--- Why a forwarder cannot be started here, though its program is installed.
---@param name string as forwarder.describe takes it
---@return string|nil why
function forwarder.refusal(name)
  local device = forwarder.describe(name).device
  if not device then return nil end
  local file <close>, message = io.open(device, "r+")
  return not file and message or nil
end

-- The name of the user without rights.
local function user_of(host)
  return select(2, peer_process.finish(host:exec(nobody.words { "id", "-un" }))):match "%S+"
end

-- A forwarder with a device has a network of its own, and so a user namespace whose root it is.
local function run(self, command)
  local words = nobody.program(command, self.place, self.description.device ~= nil)
  words.label = self.name
  if self.description.is_handed then
    self.listener = assert(self.host:listen { port = self.port, backlog = BACKLOG })
    words.fds = { [3] = self.listener }
    return assert(self.host:exec(words))
  end
  if self.description.listens then return peer_process.start(self.host, words, self.port) end
  local process = assert(self.host:exec(words))
  if inside.await(self, process, LONG) then return process end
  local _, text = process:kill "SIGKILL", process.stdout:receive("a", LONG)
  process:close()
  error(("%s does not forward: %s"):format(self.name, text), 0)
end

--- Starts a forwarder on a host, and waits until it takes clients. Raises what it said if it does not, or which package
--- is missing.
---@param name string as forwarder.describe takes it
---@param host lunet.host
---@param options {server: string, server_port: integer, address: string?, port: integer?} the server; where clients
--- reach the forwarder (127.0.0.1), and where it listens (7300)
---@return lunet.running_forwarder to be closed, or to end with its host
function forwarder.start(name, host, options)
  local description, short = forwarder.describe(name)
  local is_here, missing = forwarder.find_all { name }
  local refused = is_here and forwarder.refusal(name)
  if not is_here or refused then error(missing or refused, 0) end
  local place = scratch.open()
  local self = setmetatable({ description = description, name = short, host = host, printed = "", beside = {},
    address = options.address or "127.0.0.1", port = options.port or PORT, place = place, server = options.server,
    server_port = options.server_port }, running)
  local _undo <close> = setmetatable({}, { __close = function(_, failure) return failure and self:close() end })
  if not description.device then nobody.let_in(host, place) end
  self.words = { PLACE = place.path, PORT = tostring(self.port), SERVER = self.server,
    BEHIND = tostring(self.server_port), USER = user_of(host) }
  if description.begin then description.begin(self) end
  self.process = description.open and description.open(self) or run(self, description.command(self))
  return self
end

--- Connects a client through the forwarder.
---@param from lunet.host the client's; a forwarder with a network of its own has its clients there
---@param label? string its name on the timeline
---@param timeout number seconds
---@return lunet.connection|nil client
---@return string? message
---@return string? code "ECONNREFUSED", "TIMEOUT", ...
function running:connect(from, label, timeout)
  if self.description.device then return inside.connect(self, label, timeout) end
  return from:connect({ address = self.address, port = self.port, label = label }, timeout)
end

--- Makes a client's request.
---@param word string that is in it
---@return string
function running:request(word)
  local make = self.description.request
  return make and make(word) or word .. "\n"
end

--- Lets a client leave.
---@param client lunet.connection
---@param departure "close"|"reset"
function running:leave(client, departure)
  if self.description.device then return inside.leave(client, departure) end
  client[departure](client)
end

--- Waits until the forwarder ends a client's connection, or answers in place of the server.
---@param client lunet.connection
---@param timeout number seconds
---@return string told "FIN", "RST", another error's name, or what the forwarder answered: "502"; "nothing" if the time
--- is over
function running:await_end(client, timeout)
  local text, deadline, answers = "", lunet.now() + timeout, self.description.answers
  while true do
    local part, _, code = client:receive(nil, math.max(0, deadline - lunet.now()))
    text = text .. (part or "")
    code = inside.reset_in(text) or code
    local answered = answers and text:match(answers)
    if answered then return answered end
    if code then return ({ EOF = "FIN", ECONNRESET = "RST", TIMEOUT = "nothing" })[code] or code end
  end
end

--- The connections that it has, or tries to make, to the server.
---@return lunet.socket[]
function running:outgoing()
  return assert(self.host:sockets { peer_port = self.server_port, state = { "SYN_SENT", "ESTABLISHED", "CLOSE_WAIT",
    "FIN_WAIT1", "FIN_WAIT2", "LAST_ACK" } })
end

--- Waits until it has nothing to do: it has dealt with what its clients sent.
---@param timeout number seconds
---@return boolean whether that came
function running:await_rest(timeout)
  if self.description.open then return true end
  return lunet.eventually(function()
    if not peer_process.is_idle(self.process) then return false end
    for _, process in ipairs(self.beside) do
      if not peer_process.is_idle(process) then return false end
    end
    return true
  end, timeout) or false
end

--- Ends it, and removes its files. Idempotent.
function running:close()
  for _, process in ipairs(self.beside) do process:close() end
  if self.process then self.process:close() end
  if self.listener then self.listener:close() end
  self.place:close()
end

running.__close = running.close

return forwarder
