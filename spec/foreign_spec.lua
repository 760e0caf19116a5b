-- Real programs: their listeners are found and their queues looked at, though lunet opened none of them.
local core = require "lunet.core"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local nginx = require "lunet.peer.servers.nginx"
local report = require "lunet.report.page"
local scratch = require "lunet.peer.scratch"
local story = require "lunet.tell.story"
local strace = require "spec.support.strace"
local told = require "spec.support.told"

local BOUND <const> = require "spec.support.bound"
local PORT, INNER_PORT <const> = 7300, 7301

local function all(events, kind)
  local found = {}
  for _, e in ipairs(events) do
    if e.kind == kind then found[#found + 1] = e end
  end
  return found
end

-- "nginx 0/511", of each queue event.
local function depths_of(events)
  local words = {}
  for i, e in ipairs(all(events, "queue")) do words[i] = ("%s %d/%d"):format(e.label, e.depth, e.limit) end
  return words
end

local first -- the number of the first event of a test

-- Waits until the recording has so many events of a kind.
local function wait_for(kind, count)
  assert(lunet.eventually(function() return #all((core.events(first)), kind) == count end, BOUND))
end

-- Waits until the recording has seen that so many wait at a port, of lately.
local function wait_for_depth(port, depth)
  assert(lunet.eventually(function()
    local last
    for _, e in ipairs((core.events(first))) do
      if e.kind == "queue" and e.local_port == port then last = e.depth end
    end
    return last == depth
  end, BOUND))
end

-- Three clients of a program that accepts and hands on to another one, which is held up. `start_inner` starts that on a
-- host, at INNER_PORT, and returns what freezes and thaws it.
local function held_up(start_inner)
  local app, proxy, client = assert(lunet.host "app"), assert(lunet.host "proxy"), assert(lunet.host "client")
  local inside, outside = lunet.link(app, proxy), lunet.link(proxy, client)
  local place <close> = scratch.open()
  local inner = start_inner(app)
  wait_for_depth(INNER_PORT, 0)
  local server = "server { listen %d; access_log off; location / { proxy_pass http://%s:%d; } }"
  local _outer <close> = nginx.start(proxy, place, server:format(PORT, inside:address(app), INNER_PORT), PORT)
  wait_for_depth(PORT, 0)
  assert(inner:freeze())
  lunet.note "It is held up."
  lunet.together({ 1, 2, 3 }, function(_, i, meet)
    local connection <close> = assert(client:connect({ address = outside:address(proxy), port = PORT }, BOUND))
    assert(connection:send "GET / HTTP/1.0\r\n\r\n")
    wait_for_depth(INNER_PORT, 3)
    meet()
    if i == 1 then
      lunet.note "Three wait."
      assert(inner:thaw())
    end
    assert.match("^HTTP/1.1 200 OK", (connection:receive("a", BOUND)))
  end)
  wait_for_depth(INNER_PORT, 0)
  lunet.note "None waits."
  inner:close()
end

local function start_nginx(host, place)
  local server = "server { listen %d; access_log off; return 200 done; }"
  return nginx.start(host, place, server:format(INNER_PORT), INNER_PORT)
end

local function redis(port, label)
  return { "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", stdout = "null",
    label = label }
end

local function find(words, wanted)
  for i, word in ipairs(words) do
    if word == wanted then return i end
  end
end

describe("the listeners of programs", function()
  before_each(function()
    local events, lost = core.events(0)
    first = #events + lost
  end)

  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("are named, and the depth of their queues is shown over time, in the terminal and in the report", function()
    local run, sentences = told(function()
      local place <close> = scratch.open()
      held_up(function(app) return start_nginx(app, place) end)
    end)
    for _, sentence in ipairs(sentences) do assert.is_nil(sentence:find("?", 1, true), sentence) end
    local text = table.concat(sentences, "\n")
    assert.match("\nnginx is found listening at 0.0.0.0:7301\n", text)
    assert.match("\nclient %-> nginx: SYN\n", text)
    assert.match("\nproxy %-> nginx: SYN\n", text)
    assert.match("\nnginx %-> proxy: SYN%-ACK\n", text)
    local found = all(run.events, "found")
    assert.same({ "app", "proxy" }, { run.hosts[found[1].host], run.hosts[found[2].host] })
    local depths = depths_of(run.events)
    assert.is_true(find(depths, "nginx 3/511") < #depths)
    assert.equal("nginx 0/511", depths[#depths])

    local shown = story.rest(run, { is_whole = true })
    assert.is_nil(shown:find("?", 1, true))
    assert.match("\n%s*[%d.]+  3/511  nginx   kernel: 3 wait to be accepted at 0.0.0.0:7301\n", shown)
    assert.match("\nQueues [^\n]+\n\n[^\n]*nginx, port 7300, limit 511[^\n]*nginx, port 7301, limit 511\n  5 +", shown)
    local page = report.html(run)
    assert.match('"Queue depth over time, against its limit: the queue of nginx: at most 3 connections, limit 511; '
      .. "the queue of nginx: at most %d connections?, limit 511", page)
  end)

  it("are found with what they are called by, and gone when they have ended", function()
    local run = told(function()
      local host = assert(lunet.host "h")
      local place <close> = scratch.open()
      local _own <close> = assert(host:listen { port = PORT, backlog = 5 })
      local process = start_nginx(host, place)
      wait_for("found", 1)
      assert(process:kill "SIGKILL")
      wait_for("gone", 1)
    end)
    local found, gone = all(run.events, "found"), all(run.events, "gone")
    assert.same({ 1, "nginx", "0.0.0.0:7301" }, { #found, found[1].label, found[1].local_address })
    assert.same({ 1, found[1].socket, "0.0.0.0:7301" }, { #gone, gone[1].socket, gone[1].local_address })
  end)

  it("are told apart on one host, by who holds the listener", function()
    local run = told(function()
      local host = assert(lunet.host "h")
      for i, label in ipairs { "shop", "store", "bank" } do
        assert(host:exec(redis(PORT + i, label)))
      end
      wait_for("found", 3)
    end)
    local found = {}
    for i, e in ipairs(all(run.events, "found")) do found[i] = ("%s %s"):format(e.label, e.local_address) end
    table.sort(found)
    assert.same({ "bank 127.0.0.1:7303", "shop 127.0.0.1:7301", "store 127.0.0.1:7302" }, found)
  end)

  it("may listen on a Unix socket", function()
    local path
    local run, sentences = told(function()
      local host = assert(lunet.host "h")
      local place <close> = scratch.open()
      path = place.path .. "/redis.sock"
      local process <close> = assert(host:exec { "redis-server", "--port", 0, "--unixsocket", path, "--save", "",
        "--appendonly", "no", stdout = "null", label = "store" })
      wait_for("found", 1)
      assert(process:freeze())
      local _connection <close> = assert(lunet.connect("unix:" .. path, BOUND))
      wait_for("queue", 2)
    end)
    assert.is_truthy(find(sentences, "store is found listening at unix:" .. path))
    local shown = story.rest(run, { is_whole = true })
    assert.match("\n%s*[%d.]+  1/511 +store +kernel: 1 waits to be accepted at", shown)
    assert.is_truthy(shown:find(("store, unix:%s, limit 511"):format(path), 1, true))
    local page = report.html(run)
    assert.match("the queue of store: at most 1 connections, limit 511", page)
  end)

  it("are found on the home host, too", function()
    local run = told(function()
      local _process <close> = assert(lunet.exec(redis(PORT, "the shop")))
      wait_for("found", 1)
    end)
    local found = all(run.events, "found")
    assert.same({ 1, "the shop", 0 }, { #found, found[1].label, found[1].host })
  end)

  it("are not looked for where nobody records", function()
    local declared = experiment { claim = "", check = function() end, run = function()
      local host = assert(lunet.host "h")
      local place <close> = scratch.open()
      local _process <close> = start_nginx(host, place)
      lunet.note "It listens."
      return {}
    end }
    assert.same({}, all(declared:execute({}, { record = "none" }).events, "found"))
  end)

  -- A search reads all of /proc, which takes milliseconds.
  it("are not searched for who holds lunet's own listeners, or another program's", function()
    local lines, result = strace.run("openat", [[
      local lunet, core = require "lunet", require "lunet.core"
      core.record(true)
      local host = assert(lunet.host "h")
      assert(host:listen { backlog = 1 })
      assert(host:listen { address = "unix:@own", backlog = 1 })
      for _ = 1, 3 do assert(host:exec { "true" }):wait(10) end
      lunet.note "look"
    ]])
    assert.equal(0, result.status, result.errors)
    for _, line in ipairs(lines) do assert.is_nil(line:find('"/proc"', 1, true), line) end
  end)

  -- Only the search for who holds a listener reads directories here.
  it("that cannot be searched for are told as a failed look", function()
    local path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    assert(file:write [[
      local lunet, core = require "lunet", require "lunet.core"
      core.record(true)
      local listening = "assert(require 'lunet'.listen { backlog = 1 }) print 'listens' io.flush() io.read()"
      local process = assert(lunet.exec { os.getenv "LUNET", "-e", listening, stdin = "pipe" })
      assert(process.stdout:receive("l", 10))
      assert(lunet.eventually(function()
        for _, e in ipairs((core.events(0))) do
          if e.kind == "sockets" and e.code then print(e.label, e.code) return true end
        end
      end, 10))
    ]])
    file:close()
    local result = strace.inject("getdents64", 1, "ENOMEM", path) -- the first search; later ones may succeed
    os.remove(path)
    assert.same({ 0, "lunet\tENOMEM\n" }, { result.status, result.output }, result.errors)
  end)

  it("have a lane: their host's, with their queue", function()
    local run = told(function()
      local server, client = assert(lunet.host "server"), assert(lunet.host "client")
      local link = lunet.link(server, client)
      local place <close> = scratch.open()
      local process <close> = start_nginx(server, place)
      wait_for_depth(INNER_PORT, 0)
      assert(process:freeze())
      local _connection <close> = assert(client:connect({ address = link:address(server), port = INNER_PORT }, BOUND))
      wait_for_depth(INNER_PORT, 1)
      lunet.note "It waits."
    end)
    local shown = story.rest(run, { is_whole = true, sequence = {} })
    assert.match("\n       ms   client +queue +server\n", shown)
    assert.match("\n[^\n]+|  +1/511 +o kernel: 1 waits to be accepted", shown)
  end)

  it("are gunicorn behind nginx", function()
    if not os.execute "command -v gunicorn >/dev/null" then pending "gunicorn is not installed" end
    local run, sentences = told(function()
      local place <close> = scratch.open()
      place:write("app.py", "def app(environ, start):\n  start('200 OK', [])\n  return [b'done']\n")
      held_up(function(app)
        return assert(app:exec { "gunicorn", "-w", "1", "-b", "0.0.0.0:" .. INNER_PORT, "app:app", cwd = place.path,
          stdout = "null", stderr = "null" })
      end)
    end)
    for _, sentence in ipairs(sentences) do assert.is_nil(sentence:find("?", 1, true), sentence) end
    local depths = depths_of(run.events)
    assert.is_truthy(find(depths, "gunicorn 3/2048"), table.concat(depths, ", "))
  end)
end)
