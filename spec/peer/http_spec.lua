local http = require "lunet.peer.http"
local lunet = require "lunet"

local BOUND <const> = require "spec.support.bound"

describe("a description of an HTTP server", function()
  it("gets what it does not say itself", function()
    local description = http.server { program = "it", answer = "^served" }
    assert.same({ "it", "^served" }, { description.program, description.answer })
    assert.equal("GET /w7 HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n", description.request "w7")
    assert.not_matches("\r\n\r\n", description.holds) -- so that the request does not end
  end)

  it("takes the evidence from the file asked, or from the backend", function()
    local description = http.server {}
    local running = { file = function(_, name) return "the file " .. name end }
    assert.equal("the file asked", description.evidence(running))
    running.backend_asked = { "/a", "/b" }
    assert.equal("/a\n/b", description.evidence(running))
  end)
end)

describe("the backend of a forwarder", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("answers GET, closes, and keeps what it was asked", function()
    lunet.scope(function()
      local running = { host = assert(lunet.host "server") }
      http.begin_backend(running)
      local description = http.server {}
      for _, word in ipairs { "one", "two" } do
        local client <close> = assert(running.host:connect(running.backend, BOUND))
        assert(client:send(description.request(word)))
        local answer = assert(client:receive("a", BOUND))
        assert.matches(description.answer, answer)
        assert.matches("\r\n\r\nserved$", answer)
      end
      assert.equal("/one\n/two", description.evidence(running))
      assert.equal(running.backend_port, select(2, running.backend:address()))
      running.host:close() -- ends the task that serves
    end)
  end)
end)
