-- That each part works: what it measures is nobody's promise.
local program = require "spec.support.program"

describe("bench/scale", function()
  for part, words in pairs {
    ghosts = "\n +10 +%d+ +%d+[ %d]*\n",
    live = "\n +10 +1 +%d+ +%d+\n",
    sleepers = "\n +10 +[%d.]+ +%-?%d+ +[%d.]+ +[%d.]+\n",
    hosts = "\na LAN of 3: [%d.]+ s; 2 of 2 connects to one of them: [%d.]+ s\n",
    trace = "\n +notes +100 +%d.*\n +calls +106 +%d",
    soak = "^%d+ cycles .* handles left: 0\n",
  } do
    it("measures " .. part, function()
      local result = program.shell(("exec '%s' bench/scale.lua --tiny %s"):format(os.getenv "LUNET", part))
      assert.same({ 0, "" }, { result.status, result.errors })
      assert.matches(words, result.output)
    end)
  end
end)
