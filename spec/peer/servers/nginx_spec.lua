local peer = require "spec.support.peer"
local lunet = require "lunet"
local nginx = require "lunet.peer.servers.nginx"
local scratch = require "lunet.peer.scratch"
local raised = require "spec.support.raised"

local BOUND <const> = require "spec.support.bound"
local HTTP = [[
  log_format brief '$status'; access_log PLACE/access.log brief;
  server { listen 8080; location /slow { root PLACE; limit_rate 1000; } location / { return 200 "done\n"; } }
]]

describe("nginx", function()
  local host, place

  before_each(function() host, place = assert(lunet.host "nginx"), scratch.open() end)
  after_each(function()
    host:close()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function ask(path)
    local connection = assert(host:connect("127.0.0.1:8080", BOUND))
    assert(connection:send(("GET /%s HTTP/1.0\r\n\r\n"):format(path)))
    return connection
  end

  it("serves as it is told, with its files in the place", function()
    local process = nginx.start(host, place, HTTP, 8080)
    assert.matches("^HTTP/1.1 200 OK\r\n.*\r\n\r\ndone\n$", assert(ask("open"):receive("a", BOUND)))
    nginx.finish(process)
    assert.equal("200\n", place:read "access.log")
    assert.matches("signal 3 %(SIGQUIT%) received", place:read "error.log")
  end)

  it("is let to end what it has begun", function()
    local body = ("x"):rep(1200) -- takes more than a second, in which nginx is told to end
    place:write("slow", body)
    local process = nginx.start(host, place, HTTP, 8080)
    local connection = ask "slow"
    assert(connection:receive("l", BOUND))
    nginx.finish(process)
    assert.equal(body, assert(connection:receive("a", BOUND)):sub(-#body))
  end)

  it("raises what it says of a wrong configuration", function()
    assert.matches('^nginx did not start: .*unknown directive "nonsense"', raised(nginx.start, host, place, "nonsense;",
      8080))
  end)
end)

peer(_ENV, "nginx", { told = "", logged = "worker_connections", later = "201" })
