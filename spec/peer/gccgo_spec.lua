local client = require "lunet.peer.client"
local server = require "lunet.peer.server"

describe("a Go program", function()
  for kind, library in pairs { client = client, server = server } do
    it("has the version of Go, not of the compiler: " .. kind, function()
      local is_here, missing = library.find_all { "go_http" }
      if not is_here then return pending("the group peers is not here (script/packages peers): " .. missing) end
      assert.matches("^1%.%d+", library.version "go_http")
    end)
  end
end)
