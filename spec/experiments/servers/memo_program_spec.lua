local judgement_of = require "spec.support.judgement"
local needs = require "lunet.run.needs"
local memo_program = dofile "experiments/servers/memo_program.lua"
local it = require "spec.support.patient"(it)

local is_here, missing = needs.find(memo_program.needs)
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

local function rows_of(list)
  local rows = {}
  for i, row in ipairs(list) do rows[row.remedy .. " " .. row.departure] = list[i] end
  return rows
end

describe("memo_program", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("holds as it is: the memo's server carries out what a client that left had asked for, and a remedy does not",
    function()
      if reason then return pending(reason) end
      local outcome, holds, why = memo_program()
      assert.is_true(holds, why)
      local clients, ghosts = rows_of(outcome.clients), rows_of(outcome.ghosts)
      assert.same({ "Success", "nothing", false, true, "nothing" }, { clients["none close"].connect,
        clients["none close"].received, clients["none close"].accepted, clients["none close"].carried_out,
        clients["none close"].again })
      assert.same({ "client", "Success, Shutdown" }, { ghosts["none close"].seen_as, ghosts["none close"].sent })
      assert.same({ "no address", "ConnectionReset, Shutdown" },
        { ghosts["none reset"].seen_as, ghosts["none reset"].sent })
      for _, case in ipairs { "look close", "look reset", "refuse close", "refuse reset" } do
        assert.is_false(clients[case].carried_out, case)
      end
      assert.same({ "busy", true }, { clients["refuse close"].received, clients["refuse close"].accepted })
    end)

  it("does not hold if B asks for nothing", function()
    if reason then return pending(reason) end
    local outcome, holds, why = memo_program { request = "none", remedy = "none", departure = "close", patience = 0.05 }
    assert.is_false(holds)
    assert.equal("remedy none, close: carried_out is false, not true", why)
    assert.equal("nothing", outcome.ghosts[1].sent)
  end)

  it("does not judge a reply whose RST came late", function()
    local row = { remedy = "none", departure = "close", connect = "Success", received = "nothing", accepted = false,
      carried_out = true, again = "nothing", answer = "reply to status B" }
    local ghost = { remedy = "none", departure = "close", seen_as = "client", sent = "Success, Success" }
    local knobs = memo_program:settings { remedy = "none", departure = "close" }
    local run = judgement_of(memo_program, { clients = { row }, ghosts = { ghost } }, knobs)
    assert.same({ "not judged", "remedy none, close: the machine was late with the RST" }, { run.verdict, run.why })
  end)
end)
