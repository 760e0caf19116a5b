local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

-- script/check-prose, with files of one comment each.
describe("script/check-prose", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  local function check(name, text)
    local path = place.path .. "/" .. name
    local file <close> = assert(io.open(path, "w"))
    assert(file:write(text))
    assert(file:close())
    return program.shell(("exec %s/script/check-prose %s"):format(program.quote(os.getenv "LUNET_SOURCE"), path)), path
  end

  local wrong = {
    ["Who waits is let in."] = "a clause as the subject: name the thing that acts",
    ["Closes it. Whoever waits gets CLOSED."] = "a clause as the subject: name the thing that acts",
    ["Of libuv the figures."] = "a genitive in front: begin with the subject",
    ["Says which events are to be printed."] = '"is to be": say who must do it',
    ["Takes every key but for the first."] = '"but for": write "except"',
    ["It takes some 0.1 ms."] = '"some" before a number: write "about"',
  }
  for comment, advice in pairs(wrong) do
    local first, rest = comment:match "^(.-) ([^ ]+)$"
    local forms = { ["x.c"] = "int a;\n/* %s\n * %s */\nint b;\n", ["x.lua"] = "local a\n--- %s\n-- %s\nlocal b" }
    for name, form in pairs(forms) do
      it(("finds %q in %s, over the end of a line too"):format(comment, name), function()
        local result, path = check(name, form:format(first, rest))
        assert.same({ status = 1, output = ("%s:2: %s\n^ %s\n"):format(path, comment, advice), errors = "" }, result)
      end)
    end
  end

  it("finds a sentence of more than 25 words", function()
    local function sentence(words) return "/* Short. A" .. (" word"):rep(words - 2) .. " end: short. */\n" end
    assert.same({ status = 0, output = "", errors = "" }, (check("x.c", sentence(25))))
    local result = check("x.c", sentence(26))
    assert.equal(1, result.status)
    assert.matches("\n^ over 25 words without a stop: make two sentences\n", result.output, 1, true)
  end)

  it("takes no example, paragraph or item of a list for a part of the sentence before", function()
    local words = ("word "):rep(20)
    local parts = { "%s\n--- %s", "%s\n--\n-- %s", "%s\n--- * %s", "%s\n---   %s", "%s\n---   %s\n---   %s" }
    for i, part in ipairs(parts) do
      local result = check("x.lua", "-- " .. part:format(words, words, words) .. "\n")
      assert.equal(i == 1 and 1 or 0, result.status, part)
    end
    local result, path = check("x.lua", "-- Plain\n-- * Who waits\n--   is let in.\n--\n--   Of code.\n")
    assert.equal(path .. ":1: Plain * Who waits is let in.\n^ a clause as the subject: name the thing that acts\n",
      result.output)
  end)

  it("finds each comment of a line, and nothing outside of comments", function()
    local result = check("x.c", 'const char *a = "for some 3"; /* some 4 */ int some_5; /* some 6 */\n')
    assert.equal(2, select(2, result.output:gsub(":1: some [46]\n%^", "")))
    assert.equal(1, result.status)
  end)

  it("ends a comment whose end stands alone in a line", function()
    local result, path = check("x.c", "/* Plain.\n * Plain.\n */\nint but_for[3]; // \" but for \"\n/* Of it. */\n")
    assert.equal(path .. ":5: Of it.\n^ a genitive in front: begin with the subject\n", result.output)
  end)

  it("leaves plain sentences alone", function()
    local comments = "/* Waiting clients are let in: see who is next. What? */\n/* about 0.1 ms, to be exact */\n"
    assert.same({ status = 0, output = "", errors = "" }, (check("x.c", comments)))
    assert.equal(0, check("x.lua", "-- Claim. It holds.\n--\n-- What to do. Do nothing.\n").status)
  end)
end)
