local laboratory = require "spec.support.laboratory"
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"
local NAMESPACES = 8 -- an experiment below takes 4, and one more without privilege
local PROGRAMS = { "nginx", "nginx", "nginx", "redis-server" }

-- In a user namespace that somebody has made, he is root: nginx then wants to be told whom to become.
local NGINX_CONF = [[
daemon off; worker_processes 2; user root;
pid PLACE/pid; lock_file PLACE/lock; error_log PLACE/log;
events { worker_connections 16; }
http {
  access_log off;
  client_body_temp_path PLACE/body; proxy_temp_path PLACE/proxy; fastcgi_temp_path PLACE/fastcgi;
  uwsgi_temp_path PLACE/uwsgi; scgi_temp_path PLACE/scgi;
  server { listen 8080; return 200 hello; }
}
]]

-- Both programs have answered when it says "ready", and are stopped when it says "frozen": each with a request
-- before it.
local EXPERIMENT = [[
local lunet = require "lunet"
local experiment = require "lunet.experiment"

local function say(word) io.write(word, "\n") io.flush() end

local function request(client, address, port, text)
  local connection = assert(lunet.eventually(function()
    return (client:connect({ address = address, port = port }, 1))
  end, 20))
  assert(connection:send(text))
  return connection
end

return experiment {
  claim = "It is ended before its time.",
  run = function()
    local server, client = assert(lunet.host "server"), assert(lunet.host "client")
    local address = lunet.link(server, client):address(server)
    local nginx = assert(server:exec { "nginx", "-c", "PLACE/nginx.conf", stdout = "null", stderr = "null",
      env = { PATH = os.getenv "PATH" .. ":/usr/sbin" } })
    local redis = assert(server:exec { "redis-server", "--save", "", "--port", "7000", "--protected-mode", "no",
      "--dir", "PLACE", stdout = "null", stderr = "null" })
    local function ask_nginx() return request(client, address, 8080, "GET / HTTP/1.0\r\n\r\n") end
    local function ask_redis() return request(client, address, 7000, "PING\r\n") end
    assert(assert(ask_nginx():receive("a", 20)):find "hello")
    assert(assert(ask_redis():receive("l", 20)):find "PONG")
    say "ready"
    assert(lunet.eventually(function() return io.open "PLACE/go" end, 20)):close()
    assert(nginx:freeze())
    assert(redis:freeze())
    ask_nginx()
    ask_redis()
    say "frozen"
    ENDING
  end,
  check = function() end,
}
]]

local function write_file(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

local function sorted_values(map)
  local values = {}
  for _, value in pairs(map) do values[#values + 1] = value end
  table.sort(values)
  return values
end

-- All processes there are, by their numbers: their parents, when they began, and their names.
local function all_processes()
  local processes = {}
  local pipe <close> = assert(io.popen "cat /proc/[0-9]*/stat 2>/dev/null")
  for line in pipe:lines() do
    local number, name, rest = line:match "^(%d+) %((.*)%) (.*)$"
    local fields = {}
    for field in (rest or ""):gmatch "%S+" do fields[#fields + 1] = field end
    if number then processes[number] = { name = name, parent = fields[2], began = fields[20] } end
  end
  return processes
end

-- Those that a process has started, and those that they have, and so on. The nonce does not find them: nginx and
-- redis-server write their titles where their environment was.
local function descendants(ancestor)
  local all, found = all_processes(), {}
  local function visit(parent)
    for number, process in pairs(all) do
      if process.parent == parent then
        found[number] = process
        visit(number)
      end
    end
  end
  visit(ancestor)
  return found
end

-- The programs among them, by their numbers: their names.
local function programs(family)
  local found = {}
  for number, process in pairs(family) do
    if not process.name:match "^lunet" then found[number] = process.name end
  end
  return found
end

local function wait_for_programs(ancestor)
  local found
  assert(lunet.eventually(function()
    found = descendants(ancestor)
    return table.concat(sorted_values(programs(found)), " ") == table.concat(PROGRAMS, " ")
  end, BOUND))
  return found
end

local function wait_until_stopped(family)
  local numbers = {}
  for number in pairs(programs(family)) do numbers[#numbers + 1] = number end
  tagged.wait_for_states(numbers, "T")
end

local function wait_until_gone(family)
  local left
  assert(lunet.eventually(function()
    local all = all_processes()
    left = {}
    for number, process in pairs(family) do
      if all[number] and all[number].began == process.began then left[number] = process.name end
    end
    return next(left) == nil
  end, BOUND), "left: " .. table.concat(sorted_values(left), " "))
end

-- The experiment's lunet, not its guards.
local function find_lunet(nonce)
  for number, name in pairs(tagged.all(nonce)) do
    if name == "lunet\n" then return tostring(number) end
  end
  error "lunet is not there"
end

-- Starts the experiment and takes it to where both programs are stopped; `ending` is how it then goes on.
local function start_experiment(lab, place, nonce, privilege, ending)
  local function fill(text) return (text:gsub("PLACE", place):gsub("ENDING", ending or "lunet.sleep(math.huge)")) end
  write_file(place .. "/nginx.conf", fill(NGINX_CONF))
  write_file(place .. "/experiment.lua", fill(EXPERIMENT))
  lab:start(("NONCE=%s exec %s '%s' %s/experiment.lua"):format(nonce, privilege, os.getenv "LUNET", place))
  lab:wait_for "ready"
  local number = find_lunet(nonce)
  local family = wait_for_programs(number)
  write_file(place .. "/go", "")
  lab:wait_for "frozen"
  return number, family
end

-- With privilege lunet makes hosts directly; without, it first moves into a user namespace of its own.
local privileges = {
  { name = "with privilege", prefix = "" },
  { name = "without privilege", prefix = "unshare --user --map-user=1000 --map-group=1000" },
}

for _, privilege in ipairs(privileges) do
  describe("of an experiment " .. privilege.name .. ", with redis-server and nginx stopped on a host, is left nothing",
    function()
      local files, place

      before_each(function()
        files = scratch.open()
        place = files.path
      end)

      after_each(function()
        files:close()
        assert.same({}, lunet.open_handles())
      end)

      -- Neither a process nor a network namespace. Returns lunet's exit status, and what it wrote.
      local function run(signal, ending)
        local nonce = tagged.new()
        local lab <close> = laboratory.open(NAMESPACES)
        local number, family = start_experiment(lab, place, nonce, privilege.prefix, ending)
        if signal then
          wait_until_stopped(family)
          assert(os.execute(("kill -%s %s"):format(signal, number)))
        end
        local status, lines = lab:status()
        wait_until_gone(family)
        tagged.wait_until_gone(nonce)
        lab:wait_until_empty()
        return status, table.concat(lines, "\n")
      end

      it("when lunet is killed", function()
        assert.equal(137, (run "KILL"))
      end)

      it("after Ctrl-C", function()
        assert.equal(130, (run "INT"))
      end)

      it("after an error", function()
        local status, text = run(nil, "error 'no more'")
        assert.equal(3, status)
        assert.matches("no more", text)
      end)

      it("after os.exit", function()
        assert.equal(4, (run(nil, "os.exit(4)")))
      end)
    end)
end

describe("a laboratory", function()
  it("counts network namespaces that only a descriptor refers to, until they are gone", function()
    local lab <close> = laboratory.open(2)
    lab:start(([[exec '%s' -e 'local lunet = require "lunet"
      assert(lunet.host()) -- made from another namespace, which lunet keeps
      print(select(3, lunet.host()))']]):format(os.getenv "LUNET"))
    assert.same({ 0, { "ENOSPC" } }, { lab:status() })
    lab:wait_until_empty()
  end)
end)
