--- The message of a failed system call has the kernel's word, and words for it.
local scratch = require "lunet.peer.scratch"
local strace = require "spec.support.strace"

describe("a failure", function()
  it("has words for every error, also for those that libuv does not know", function()
    local place <close> = scratch.open()
    local script = place:write("listen.lua", [[
      local _, message, code = require "lunet".listen { port = 7000, backlog = 1 }
      print(message, code)]])
    for code, words in pairs {
      EADDRINUSE = "address already in use",
      EXFULL = "exchange full", -- a bridge's ports
      ERFKILL = "operation not possible due to RF-kill",
      EUCLEAN = "structure needs cleaning",
    } do
      local result = strace.inject("bind", 1, code, script)
      assert.equal(("listen on 127.0.0.1:7000: %s (%s)\t%s\n"):format(words, code, code), result.output, result.errors)
    end
  end)
end)
