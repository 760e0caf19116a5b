local can = require "lunet.run.can"
local json = require "dkjson"
local program = require "spec.support.program"

local LUNET, SOURCE = os.getenv "LUNET", os.getenv "LUNET_SOURCE"

local function doctor(arguments) return program.shell(("exec '%s' doctor %s"):format(LUNET, arguments)) end

-- In a user namespace that allows no other: an ordinary user where they are forbidden.
local function forbidden(arguments)
  return program.shell(("exec unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && "
    .. "exec \"$0\" \"$@\"' '%s' doctor %s"):format(LUNET, arguments))
end

describe("lunet doctor", function()
  it("tells what works, with exit status 0", function()
    local result = doctor ""
    assert.same({ 0, "" }, { result.status, result.errors })
    for _, ability in ipairs(can.ABILITIES) do
      assert.matches(("\n  %s +yes  "):format(ability.name), result.output)
    end
    assert.matches("yes  programs on hosts\n", result.output, 1, true)
    assert.matches("All of that works.\n$", result.output)
    assert.equal(1, select(2, result.output:gsub("\n\n%s*hosts", ""))) -- one line for each, without gaps
    assert.no_matches("yes[^\n]+\n\n[^\n]+yes", result.output)
  end)

  it("tells what does not, why, and what changes it, with exit status 3", function()
    local result = forbidden ""
    assert.equal(3, result.status)
    assert.matches("\n  hosts +no  .*user.max_user_namespaces is 0\n +to change that: sudo sysctl %-w user",
      result.output)
    assert.matches("\n  drop +no  [^\n]+\n +there are no hosts\n", result.output)
    assert.matches("as root of a user namespace", result.output)
  end)

  it("names the call that a filter refuses", function()
    local filtered = "exec '%s/spec/support/refuse_call.py' setns '%s' doctor hosts"
    local result = program.shell(filtered:format(SOURCE, LUNET))
    assert.equal(3, result.status)
    assert.matches("refuses setns(2)", result.output, 1, true)
  end)

  it("answers for what is asked, by its exit status", function()
    assert.equal(0, doctor("hosts drop net.ipv4.tcp_syncookies").status)
    assert.equal(3, doctor("net.ipv4.no_such_thing").status)
    assert.equal(3, forbidden("hosts").status)
  end)

  it("writes one JSON object", function()
    local works, not_so = doctor "--json", forbidden "--json"
    local report = assert(json.decode(works.output))
    assert.same({ true, #can.ABILITIES }, { report.works, #report.abilities })
    report = assert(json.decode(not_so.output))
    assert.is_false(report.works)
    assert.same({ "hosts", false, "ENOSPC" },
      { report.abilities[1].name, report.abilities[1].works, report.abilities[1].code })
    assert.matches("^sudo sysctl", report.abilities[1].command)
  end)

  it("has a help, and refuses what it does not know with exit status 2", function()
    local help = doctor "--help"
    assert.equal(0, help.status)
    assert.matches("^Usage: lunet doctor", help.output)
    for _, wrong in ipairs { "magic", "--magic", "hosts vm.swappiness" } do
      local result = doctor(wrong)
      assert.same({ 2, "" }, { result.status, result.output })
      assert.matches("^lunet: doctor: [^\n]+%(known: %-%-help, %-%-json, hosts, [^\n]+\n$", result.errors)
    end
  end)
end)
