--- The beginning of most experiments: hosts that are joined, a listener that nobody accepts from, clients that are
--- connected and queued, and waits for states.
---
---     local server, clients = lab.hosts { "server", "clients" }
---     local listener = lab.listen(server, { backlog = 5 })
---     local client = lab.queue_client(clients, listener, { label = "A" })
---
--- A wait that fails raises an error, since an experiment cannot go on without the state. Every wait is bounded by
--- lab.LONG.
local core = require "lunet.core"
local lateness = require "lunet.run.lateness"
local lunet = require "lunet"
local option_table = require "lunet.text.options"

---@class lunet.lab
---@field LONG number seconds: the bound of every wait for a state that does come, however busy the machine is
---@field PORT integer where a server listens unless an experiment says otherwise; tshark takes what is sent there for
--- plain data
local lab = { LONG = 60, PORT = 7300 }

--- The options of a link, for a knob: lunet forwards its frames only if the delay is not 0.
---
---     print(lab.delayed(0.05).delay, lab.delayed(0).delay) --> 0.05  nil
---@param delay? number seconds
---@return lunet.link_options
function lab.delayed(delay) return { delay = delay ~= 0 and delay or nil } end

--- Makes hosts and links the first to each of the others. The links follow the hosts in the results.
---
---     local router, a, b, to_a, to_b = lab.hosts { "router", "a", "b", delay = 0.001 }
---     print(to_a:name(), to_b:name()) --> link of router and a  link of router and b
---@async
---@param wanted table names, or what lunet.host takes; and `delay` of the links in seconds: without one, or with 0,
--- lunet does not forward their frames
---@return lunet.host first
---@return any ... the other hosts, then the links (lunet.network)
function lab.hosts(wanted)
  if type(wanted) ~= "table" or #wanted == 0 then core.misuse "hosts: a list of hosts expected" end
  local named = {}
  for field, value in pairs(wanted) do
    if math.type(field) ~= "integer" then named[field] = value end
  end
  local unknown = option_table.unknown("option", named, { "delay" })
  if unknown then core.misuse("hosts: " .. unknown) end
  local made, count, options = {}, #wanted, lab.delayed(wanted.delay)
  for i = 1, count do made[i] = assert(lunet.host(wanted[i])) end
  for i = 2, count do made[count + i - 1] = lunet.link(made[1], made[i], options) end
  return table.unpack(made)
end

--- Listens, on lab.PORT unless the target has a port or an address of its own.
---
---     local other = lab.listen(server, { port = 7301, backlog = 1 })
---     print((listener:address()), (other:address())) --> 0.0.0.0:7300  0.0.0.0:7301
---@param host lunet.host
---@param target table what host:listen takes
---@return lunet.listener
function lab.listen(host, target)
  if type(target) ~= "table" then core.misuse(("listen: a table expected, not %s"):format(type(target))) end
  local default = target.address == nil and { port = lab.PORT } or nil
  return assert(host:listen(option_table.merged(default, target)))
end

--- Waits until a predicate returns a true value, and returns that.
---
---     client:send "hello"
---     local far = assert(listener:accept(lab.LONG))
---     print(lab.await(function() return far:unread() == 5 end)) --> true
---@async
---@param predicate fun(): any
---@return any
function lab.await(predicate)
  if type(predicate) ~= "function" then
    core.misuse(("await: a function expected, not %s"):format(type(predicate)))
  end
  return assert(lunet.eventually(predicate, lab.LONG))
end

--- Sleeps until a time; not at all if it is over.
---
---     local time = lunet.now() + 0.01
---     lab.sleep_until(time)
---     print(lunet.now() >= time) --> true
---@async
---@param time number by lunet.now()
function lab.sleep_until(time) lunet.sleep(math.max(0, time - lunet.now())) end

local function check_listener(listener, name)
  if not pcall(core.check_self, listener, "lunet.listener") then
    core.misuse(("%s: a listener expected, not %s"):format(name, type(listener)))
  end
end

--- How many connections a listener's queue holds.
---
---     print(lab.depth(listener)) --> 1
---@param listener lunet.listener
---@return integer
function lab.depth(listener)
  check_listener(listener, "depth")
  return assert(listener:queue()).depth
end

--- Waits until a listener's queue holds so many connections. A client is connected before the queue has it: the entry
--- comes with the ACK that the client sends last.
---
---     local another = assert(clients:connect(listener, lab.LONG))
---     lab.await_depth(listener, 2)
---     print(lab.depth(listener)) --> 2
---@async
---@param listener lunet.listener
---@param depth integer
function lab.await_depth(listener, depth)
  check_listener(listener, "await_depth")
  if math.type(depth) ~= "integer" then core.misuse "await_depth: a whole number expected" end
  lab.await(function() return lab.depth(listener) == depth end)
end

--- Connects a client and waits until the queue has it. Nobody may accept meanwhile.
---
---     local another = lab.queue_client(clients, listener, { label = "B" })
---     print(another:state(), lab.depth(listener)) --> ESTABLISHED  2
---@async
---@param host lunet.host
---@param listener lunet.listener
---@param options? table what host:connect takes besides the listener: `label`, `sndbuf`, ...
---@return lunet.connection client
function lab.queue_client(host, listener, options)
  check_listener(listener, "queue_client")
  local depth = lab.depth(listener)
  local client = assert(host:connect(option_table.merged({ listener }, options), lab.LONG))
  lab.await_depth(listener, depth + 1)
  return client
end

--- Fills a listener's queue with clients.
---
---     local fillers = lab.fill_queue(clients, listener)
---     print(#fillers, lab.depth(listener)) --> 5  6
---     print(select(3, clients:connect(listener, 0.01))) --> TIMEOUT
---@async
---@param host lunet.host of the clients
---@param listener lunet.listener
---@param label? string their name on the timeline; default "filler"
---@param free? integer how many places stay free; default 0
---@return lunet.connection[] clients; hold them, since one that is collected leaves
function lab.fill_queue(host, listener, label, free)
  check_listener(listener, "fill_queue")
  local clients = {}
  local places = assert(listener:queue()).limit + 1 - (free or 0)
  for i = 1, places - lab.depth(listener) do
    clients[i] = lab.queue_client(host, listener, { label = label or "filler" })
  end
  return clients
end

--- Measures each case of an experiment, all at once like `lunet.together`, and how late the machine was meanwhile: that
--- counts from the first measurement to the end of the last one. `lunet.run.lateness.at_most` allows for it.
---
---     local codes, late = lab.measure({ 0.01, 0.02 }, function()
---       return assert(lunet.listen { backlog = 5 })
---     end, function(listener, patience) return select(3, listener:accept(patience)) end)
---     print(codes[1], codes[2], late >= 0) --> TIMEOUT  TIMEOUT  true
---@async
---@generic T, P, R
---@param cases T[]
---@param prepare fun(case: T, number: integer): P makes hosts, programs and so on for the case
---@param measure fun(prepared: P, case: T, number: integer, meet: fun()): R?
---@return R[] results of each measurement, in the order of the cases
---@return number late seconds, rounded to milliseconds
function lab.measure(cases, prepare, measure)
  if type(measure) ~= "function" then
    core.misuse(("measure: a function expected, not %s"):format(type(measure)))
  end
  local machine <close>, late = lateness.watch(), 0.0
  local results = lunet.together(cases, prepare, function(...)
    machine:begin()
    local result = measure(...)
    late = machine:worst()
    return result
  end)
  return results, tonumber(("%.3f"):format(late))
end

local function leave(queue, one)
  for i, other in ipairs(queue) do
    if other == one then return table.remove(queue, i) end
  end
end

--- Lets a few tasks act at once, while the others wait for their turn, in the order in which they came: many programs
--- that start together make each other late.
---
---     local in_turn = lab.turns(1)
---     local task = lunet.spawn(in_turn, lunet.sleep, 0.01)
---     print(in_turn(function() return "after the task, or before it" end), task:join(60)) --> after...  true  true
---@param most integer how many tasks may act at once
---@param longest? number seconds that a task waits for its turn; default lab.LONG
---@return fun(act: (fun(...): any), ...: any): any in_turn waits for a turn, acts, and returns what that returns
function lab.turns(most, longest)
  if math.type(most) ~= "integer" or most < 1 then core.misuse "turns: a whole number from 1 on expected" end
  local free, waiting = most, {} -- waiting: for a turn, the first one first
  local turn = {}
  local meta <const> = { __index = turn, __close = function(self) self:give_back() end }

  function turn:take()
    self.is_mine = free > 0
    if self.is_mine then
      free = free - 1
      return
    end
    self.sleeper = core.spawn(core.sleep, longest or lab.LONG)
    waiting[#waiting + 1] = self
    self.sleeper:join()
    assert(self.is_mine, "turns: the deadline passed (TIMEOUT)")
  end

  function turn:give_back()
    if self.sleeper then self.sleeper:cancel() end
    if not self.is_mine then return leave(waiting, self) end
    local next_one = table.remove(waiting, 1)
    if next_one then
      next_one.is_mine = true
      next_one.sleeper:cancel()
    else
      free = free + 1
    end
  end

  return function(act, ...)
    local own <close> = setmetatable({}, meta)
    own:take()
    return act(...)
  end
end

--- The first socket that a host's kernel lists for a filter; nil if it lists none.
---
---     local queued = lab.socket(server, { listener = listener })
---     print(queued.state, queued.owned) --> ESTABLISHED  false
---@param host lunet.host
---@param filter table what host:sockets takes
---@return lunet.socket|nil
function lab.socket(host, filter)
  return assert(host:sockets(filter))[1]
end

--- Counts from now on: how much each TCP counter of a host has moved since.
---
---     local moved = lab.counters(server)
---     lab.queue_client(clients, listener)
---     lab.await(function() return moved "PassiveOpens" == 1 end)
---     print(moved "ListenOverflows") --> 0
---@param host lunet.host
---@return fun(name: string): integer moved by the kernel's name of the counter
function lab.counters(host)
  local before = assert(host:counters())
  return function(name) return (assert(host:counters()) - before)[name] end
end

return lab
