--- Real client programs on hosts. A file lua/lunet/peer/clients/NAME.lua describes one, and this module runs it against
--- an address. The client runs as a user without rights, with its files in a scratch directory.
---
---     local running <close> = client.open("curl", host, { address = link:address(server), port = 7300 })
---     running:start()
---     if running:await_end(20) then print(running:words(), running:status()) end
---
--- A description is plain data. Some words stand for others in the texts of its `arguments`, `files`, `before` and
--- `environment`. ADDRESS and PORT are the server's. PLACE is the path of the client's directory. OPTION is the timeout
--- option of the run.
local library = require "lunet.peer.library"
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local nobody = require "lunet.peer.nobody"
local peer_process = require "lunet.peer.process"
local scratch = require "lunet.peer.scratch"

---@class lunet.client_library: lunet.peer_library
---@field describe fun(name: string): lunet.client, string
local client = library.open "client"

local LONG = 60 -- s; bounds waits for states that do come
local ENDING = 2 -- s; a program that its description lets run on may end within them
local LONGEST_WORDS = 120 -- bytes of what a row quotes

---@alias lunet.client_number number|{[1]: number, [2]: number} a number; or the least and the most, if chance or a race
--- of the client's own decides

--- How long a client waits with one setting of its timeouts, and what it then leaves and says. A description holds only
--- what is certain on a busy machine, too.
---@class lunet.client_wait
---@field option? string what sets it, in the client's own words: "--max-time 3"; nil: its defaults
---@field connect? lunet.client_number seconds after which it gives up if its handshake does not end; nil: it leaves
--- that to the kernel
---@field answer? lunet.client_number seconds after which it gives up if it is connected and receives nothing; nil: it
--- waits on
---@field connections? lunet.client_number how many it makes until it gives up on an answer; default 1
---@field ghosts? lunet.client_number how many of them it leaves by then; default all
---@field status? integer|"runs on" its exit status when it has given up on an answer
---@field words? string what it says then, in part

--- A description: what lua/lunet/peer/clients/NAME.lua returns.
---@class lunet.client: lunet.peer_description
---@field arguments string[] of the program. The argument "OPTION" becomes a word for each word of the option, or none
---@field files? table<string, string> texts of files in its directory, by name
---@field before? string[][] programs, with their arguments, that make more of its files: compilers
---@field runs? string what one of these has made, and is run: "PLACE/client"; default: the program
---@field environment? table<string, string> HOME is its directory
---@field libraries? table<string, string> files that must be there besides the program, and which package brings each
---@field waits table<"default"|"connect"|"answer", lunet.client_wait> with its defaults; with its option for connects,
--- and with its option for answers, where it has one
---@field gave_up? string a pattern: what it prints when it has given up, if it may run on after that
---@field says? string a pattern with one capture: which of its words count; default: its last line
---@field listens? integer where it listens itself, if it is a proxy
---@field request? string what lunet sends to a proxy, from the same host

---@class lunet.running_client
---@field description lunet.client
---@field name string
---@field host lunet.host
---@field place lunet.scratch its files
---@field wait lunet.client_wait how long it should wait
---@field process? lunet.process once it was started
---@field asker? lunet.connection a proxy's client
---@field printed string what it has printed so far, or answered as a proxy
local running = {}
running.__index = running

local needs_of_programs = client.needs

--- The programs and libraries that clients need, and their packages.
---@param names string[]
---@return table<string, string> packages
function client.needs(names)
  local wanted = needs_of_programs(names)
  for _, name in ipairs(names) do
    for path, package in pairs(client.describe(name).libraries or {}) do wanted[path] = package end
  end
  return wanted
end

-- A text of the description in the terms of this run.
local function filled(self, text) return (text:gsub("%f[%w]%u+%f[%W]", self.terms)) end

local function command_of(self, words)
  local all = {}
  for i, word in ipairs(words) do
    if word ~= "OPTION" then
      local text = filled(self, word)
      all[#all + 1] = i == 1 and assert(needs.path(text), text .. " is missing") or text
    else
      for part in self.terms.OPTION:gmatch "%S+" do all[#all + 1] = part end
    end
  end
  local command = nobody.program(all, self.place)
  for name, text in pairs(self.description.environment or {}) do command.env[name] = filled(self, text) end
  return command
end

local function make_files(self)
  for name, text in pairs(self.description.files or {}) do self.place:write(name, filled(self, text)) end
  for _, words in ipairs(self.description.before or {}) do
    local status, text = peer_process.finish(self.host:exec(command_of(self, words)))
    if status ~= 0 then error(("%s ended with %s: %s"):format(words[1], status, text), 0) end
  end
end

local function program_of(self)
  local description = self.description
  local command = command_of(self, { description.runs or description.program, table.unpack(description.arguments) })
  command.label = self.name
  return command
end

--- Makes a client ready: its files are written, and a proxy serves. Raises if its program is missing.
---@param name string as client.describe takes it
---@param host lunet.host
---@param options {address: string, port: integer, option: string?} its server; which of its `waits` is tried
--- ("default"), which the client must have
---@return lunet.running_client to be closed, or to end with its host
function client.open(name, host, options)
  local description, short = client.describe(name)
  local is_here, missing = client.find_all { name }
  if not is_here then error(missing, 0) end
  local wait = description.waits[options.option or "default"]
  if not wait then error(("%s has no option '%s'"):format(short, options.option), 0) end
  local place = scratch.open()
  local _undo <close> = setmetatable({}, { __close = function(_, failure) return failure and place:close() end })
  local self = setmetatable({ description = description, name = short, host = host, place = place, wait = wait,
    printed = "", terms = { ADDRESS = options.address, PORT = tostring(options.port), PLACE = place.path,
      OPTION = wait.option or "" } }, running)
  nobody.let_in(host, place)
  make_files(self)
  if description.listens then self.process = peer_process.start(host, program_of(self), description.listens) end
  return self
end

--- Starts the client. A proxy, which runs by then, is asked for something that the server has.
function running:start()
  if not self.process then
    self.process = assert(self.host:exec(program_of(self)))
    return
  end
  self.asker = assert(self.host:connect({ address = "127.0.0.1", port = self.description.listens, label = "asker" },
    LONG))
  assert(self.asker:send(self.description.request, LONG))
end

--- Waits until the client has given up: it ends, or says so; a proxy answers.
---@param timeout number seconds
---@return boolean whether it has
function running:await_end(timeout)
  local deadline, pattern = lunet.now() + timeout, self.description.gave_up
  local output = self.asker or self.process.stdout
  local is_over = false -- a client may print on and on
  while true do
    if pattern and self.printed:find(pattern) then return true end
    if is_over then return false end
    is_over = lunet.now() >= deadline
    local part, _, code = output:receive(nil, math.max(0, deadline - lunet.now()))
    self.printed = self.printed .. (part or "")
    if code then return code ~= "TIMEOUT" end
  end
end

--- How the program has ended, if it does so by itself once it has given up. Waits long for a program that ends by its
--- description, as a busy machine may take long to end it.
---@return integer|string|nil status nil: it runs on
function running:status()
  local ends = math.type(self.wait.status) == "integer"
  return (self.process:wait(self.asker and 0 or ends and LONG or ENDING))
end

--- The last words of the client, in one line. ADDRESS stands in them for the server's address, which differs from run
--- to run.
---@return string words "nothing" if it has said nothing
function running:words()
  local words = self.description.says and self.printed:match(self.description.says)
  if not words then
    for line in self.printed:gmatch "[^\r\n]+" do words = line:find "%S" and line or words end
  end
  words = (words or "nothing"):gsub("%c+", " "):gsub((self.terms.ADDRESS:gsub("%p", "%%%0")), "ADDRESS")
  return words:match "^%s*(.-)%s*$":sub(1, LONGEST_WORDS)
end

--- Ends it, and removes its files. Idempotent.
function running:close()
  if self.asker then self.asker:close() end
  if self.process then self.process:close() end
  self.place:close()
end

running.__close = running.close

return client
