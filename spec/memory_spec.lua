-- The values that a call uses stay alive and unchanged until it ends, whatever finalizers, metamethods and
-- coroutine.close do meanwhile. Under the sanitizers these specs find each use of freed memory; without, each wrong
-- result.
local program = require "spec.support.program"

-- Before each script: `eagerly(fn, ...)` calls fn with a whole collection at every allocation; `at_collection(fn)`
-- calls fn in every collection.
local PRELUDE = [[
local lunet = require "lunet"
local core = require "lunet.core"
local function eagerly(fn, ...)
  collectgarbage("incremental", 1, 1000, 40)
  collectgarbage "restart"
  local results = table.pack(pcall(fn, ...))
  collectgarbage "generational"
  return table.unpack(results, 1, results.n)
end
local function at_collection(fn)
  local function arm()
    setmetatable({}, { __gc = function()
      if not fn then return end
      fn()
      arm()
    end })
  end
  arm()
  return function() fn = nil end
end
]]

local function run(text)
  local result = program.lunet(PRELUDE .. text)
  return { result.status, result.output, result.errors }
end

describe("a host that only the call holds", function()
  for name, call in pairs {
    exec = 'assert(h:exec { "true", env = { A = "1" }, stdout = "null" })',
    sockets = 'assert(h:sockets { state = { "LISTEN", "ESTABLISHED" }, port = 7 + 0.0 })',
    listen = 'assert(h:listen { address = "127.0.0.1", port = 0, backlog = 1, label = "l" })',
    connect = 'assert(select(3, h:connect({ address = "127.0.0.1", port = 7, label = "x" }, 1)) == "ECONNREFUSED")',
    capture = "assert(h:capture())",
    drop = "assert(h:drop { port = 7 })",
    counters = "assert(h:counters())",
    sysctl = 'assert(h:sysctl "net.ipv4.tcp_syncookies")',
  } do
    it("is not collected before the call ends: " .. name, function()
      assert.same({ 0, "survived\n", "" }, run([[
for _ = 1, 20 do
  assert(eagerly(function()
    local made = { assert(lunet.host "a") }
    return (function(h) ]] .. call .. [[ end)(table.remove(made))
  end))
end
print "survived"
]]))
    end)
  end
end)

describe("a host that a finalizer closes in the midst of a call", function()
  -- At every point of the call where Lua allocates, in turn. A closed host has no namespace: without a second question
  -- the call would use freed memory, fail with EBADF, or answer for the home host, which has a listener here.
  for name, call in pairs {
    exec = 'h:exec { "true", env = { A = 1 }, stdout = "null" }',
    sockets = 'h:sockets { state = { "LISTEN" } }',
    listen = "h:listen { port = 0, backlog = 1 }",
    connect = "h:connect({ port = 7 }, 1)",
    capture = "core.capture(h, 1)",
    drop = 'core.drop(h, "x", 5)',
    takes_rules = "core.takes_rules(h, 5)",
    wire = "core.wire(h, 1, {}, g, 2, {}, 1)",
    link = "core.link(h, 1, g, 2)",
    bridge = "core.bridge(h, 1)",
    attach = "core.attach(h, 1, 2)",
    unlink = "core.unlink(h, 1)",
    add_addresses = 'core.add_addresses(h, 1, "10.0.0.1/24")',
    link_is_up = "core.link_is_up(h, 1)",
    read_file = 'core.read_file(h, "/proc/thread-self/net/snmp")',
    write_file = 'core.write_file(h, "/proc/sys/net/ipv4/tcp_syncookies", 1)',
  } do
    it("is refused from then on: " .. name, function()
      assert.same({ 0, "true\n", "" }, run([[
local home <close> = assert(lunet.listen { port = 0, backlog = 1 })
local g = assert(lunet.host "b")
local refused = 0
for turn = 1, 40 do
  local h = assert(lunet.host "a")
  local count = 0
  collectgarbage()
  collectgarbage "stop"
  local stop = at_collection(function()
    count = count + 1
    if count == turn then h:close() end
  end)
  local ok, result, message, code = eagerly(function() return ]] .. call .. [[ end)
  stop()
  if not ok then
    assert(result:find "the host is closed", result)
    refused = refused + 1
  end
  assert(code ~= "EBADF", message)
  if type(result) == "table" then assert(not result[1], "a socket of the home host") end
  h:close()
end
print(refused > 0)
]]))
    end)
  end
end)

describe("the tables that a call reads", function()
  it("may change while it reads them: a finalizer adds to env", function()
    assert.same({ 0, "20\n", "" }, run [[
local env
local added = 0
local stop = at_collection(function()
  if added < 500 then env["K" .. added] = "v" end
  added = added + 1
end)
local count = 0
for _ = 1, 20 do
  env, added = { A = "1" }, 0
  local ok, process = eagerly(lunet.exec, { "true", env = env, stdout = "null" })
  assert(ok and process, process)
  process:close()
  count = count + 1
end
stop()
print(count)
]])
  end)

  it("may change while it reads them: finalizers take away its strings", function()
    assert.same({ 0, "20\n", "" }, run [[
local count, where = 0
local stop = at_collection(function()
  for key in pairs(where) do where[key] = nil end
  where[#where + 1] = "new"
end)
local function text(word) return word .. ("x"):rep(60) end
for i = 1, 20 do
  where = { "true", label = text "l" .. i, cwd = "/" .. ("./"):rep(100), env = { A = text "v" .. i } }
  eagerly(lunet.exec, where)
  where = { address = "127.0.0." .. i, port = 7, label = text "l" .. i, from = "127.0.1." .. i, congestion = "reno" }
  eagerly(lunet.connect, where, 1)
  where = { address = "127.0.0." .. i, backlog = 1, label = text "l" .. i, congestion = "re" .. "no" }
  eagerly(lunet.listen, where)
  where = { peer_address = "127.0.0." .. i .. ":80", state = { "LIS" .. "TEN" } }
  eagerly(lunet.sockets, where)
  count = count + 1
end
stop()
print(count)
]])
  end)

  it("are read without their metamethods", function()
    assert.same({ 0, "0\n", "" }, run [[
local called = 0
local function count() called = called + 1 end
local all = { __index = count, __len = count, __pairs = count, __newindex = count, __gc = function() end }
local function t(fields) return setmetatable(fields, all) end
assert(lunet.exec(t { "true", env = t { A = "1" }, stdout = "null" }))
local listener = assert(lunet.listen(t { port = 0, backlog = 1 }))
assert(lunet.connect(t { listener }, 10))
assert(lunet.sockets(t { state = t { "LISTEN" } }))
print(called)
]])
  end)
end)

describe("the result of a call #part_results", function()
  it("is whole though finalizers close the handles that it lists", function()
    assert.same({ 0, "true\n", "" }, run [[
for _ = 1, 20 do assert(lunet.listen { port = 0, backlog = 1 }) end -- garbage from here on
local ok, handles = eagerly(lunet.open_handles)
for _, text in ipairs(handles) do assert(text:find "^listener 127.0.0.1:%d+$", text) end
print(ok)
]])
  end)

  it("is whole though finalizers record events while events are read", function()
    assert.same({ 0, "true\n", "" }, run [[
local first = core.record(false)
for i = 1, 16384 do lunet.note("before " .. i) end
local noted = 0
local stop = at_collection(function()
  noted = noted + 1
  lunet.note("meanwhile " .. noted)
end)
local from = first + 16384 - 300
for turn = 1, 3 do
  for i = 1, 16000 do lunet.note("before " .. i) end
  from = core.record(false) - 300
  local ok, events, lost = eagerly(core.events, from)
  assert(ok, events)
  assert(#events + lost <= 300, #events)
  for _, event in ipairs(events) do assert(event.text:find "^before %d+$" or event.text:find "^meanwhile %d+$") end
end
stop()
print(noted > 0)
]])
  end)

  it("is whole though finalizers note, or close the journal, while a journal hands back looks", function()
    assert.same({ 0, "true\n", "" }, run [[
local path = os.tmpname()
local host <close> = assert(lunet.host "a")
local noted, journal = 0, nil
local stop = at_collection(function()
  noted = noted + 1
  if noted % 7 == 0 and journal then journal:close() else lunet.note "meanwhile" end
end)
local looks_of_all = 0
for _ = 1, 20 do
  journal = assert(core.journal(path, core.record(true), 0))
  lunet.note "a look"
  local ok, looks = eagerly(journal.write, journal)
  assert(ok, looks)
  for _, look in ipairs(looks or {}) do assert(look.text:find "Tcp: " or look.kind == "sockets") end
  looks_of_all = looks_of_all + #(looks or {})
  journal:close()
end
stop()
core.record(false)
os.remove(path)
print(noted > 20 and looks_of_all > 20)
]])
  end)

  it("is whole though finalizers read segments while segments are read", function()
    assert.same({ 0, "true\n", "" }, run [[
local h <close> = assert(lunet.host "a")
local capture = core.capture(h, 4096)
local listener = assert(h:listen { port = 0, backlog = 100 })
local function talk()
  for _ = 1, 5 do
    local client <close> = assert(h:connect(listener, 10))
    local server <close> = assert(listener:accept(10))
  end
end
talk()
local more = 0
local stop = at_collection(function()
  if more > 40 then return end -- the ring has grown by now
  more = more + 1
  for _ = 1, 10 do h:listen({ port = 0, backlog = 1 }):close() end
  capture:statistics()
end)
for _ = 1, 20 do
  talk()
  local ok, segments = eagerly(capture.segments, capture)
  assert(ok, segments)
  for _, s in ipairs(segments) do assert(s.flags ~= "" and s.from:find "^127.0.0.1:") end
end
stop()
print(more > 0)
]])
  end)

  it("may have as many results as a task can return, or an error says so", function()
    assert.same({ 0, "true\ttrue\n", "" }, run [[
local most = {}
for i = 1, 999900 do most[i] = i end
local function give(n) return table.unpack(most, 1, n) end
local few = lunet.spawn(give, 100000):join()
local ok, why = pcall(function() return (lunet.spawn(give, 999900):join()) end)
lunet.sleep(0)
print(few, ok or why:find "too many results" ~= nil)
]])
  end)
end)

describe("a task whose coroutine the script closes", function()
  local function closed(body)
    return run([[
local co, held
local listener <close> = assert(lunet.listen { port = 0, backlog = 5 })
local near <close> = assert(lunet.connect(listener, 10))
local far <close> = assert(listener:accept(10))
local function waits(fn)
  local task = lunet.spawn(function()
    co = coroutine.running()
    return fn()
  end)
  lunet.sleep(0)
  lunet.sleep(0)
  return task
end
local function close()
  assert(coroutine.close(co))
  co = nil
  collectgarbage()
  collectgarbage()
end
]] .. body)
  end

  it("sends what it was sending", function()
    assert.same({ 0, "8000000\nCANCELED\n", "" }, closed [[
local task = waits(function() return near:send(("x"):rep(8000000)) end)
close()
print(#assert(far:receive(8000000, 10)))
print(select(3, task:join(10)))
]])
  end)

  it("accepts what it was accepting", function()
    assert.same({ 0, "CANCELED\n", "" }, closed [[
local task = waits(function() return listener:accept() end)
close()
local more <close> = assert(lunet.connect(listener, 10))
print(select(3, task:join(10)))
]])
  end)

  it("leaves its scopes: closes what is in them, and waits for their tasks", function()
    assert.same({ 0, "CANCELED\nended\n", "" }, closed [[
local ended
local task = waits(function()
  return lunet.scope(function()
    assert(lunet.listen { port = 0, backlog = 1, label = "of the scope" })
    return lunet.scope(function()
      lunet.spawn(function()
        local _ended <close> = setmetatable({}, { __close = function() ended = "ended" end })
        assert(lunet.listen { port = 0, backlog = 1, label = "of a task of the scope" })
        lunet.sleep(math.huge)
      end)
      far:receive()
    end)
  end)
end)
close()
assert(near:send "x")
print(select(3, task:join(10)))
print(ended)
collectgarbage()
assert(#lunet.open_handles() == 3)
]])
  end)

  it("serves no other task, so a script that closes it later harms none", function()
    assert.same({ 0, "dead\ncannot resume dead coroutine\ntrue\ntrue\tit goes on\n", "" }, closed [[
waits(function() end):join(10)
local task = lunet.spawn(function()
  lunet.sleep(0.01)
  return "it goes on"
end)
lunet.sleep(0)
print(coroutine.status(co))
print(select(2, coroutine.resume(co)))
print(coroutine.close(co))
print(task:join(10))
]])
  end)
end)
