-- Bash itself completes, at a terminal of its own: the spec types a line, the key of a completion, and then a command
-- in front of the line that writes the words down.
local files = require "spec.support.experiment_files"
local help = require "spec.support.help"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local quote = program.quote
local ROOT <const>, BUILD <const> = os.getenv "LUNET_SOURCE", os.getenv "LUNET_BUILD"
local TAB <const>, ALL <const>, HOME <const> = "\t", "\20", "\1" -- ALL: readline's insert-completions

-- The long options of a help, sorted.
local function options_of(text)
  local options = {}
  for _, option in ipairs(help.options(text)) do options[#options + 1] = option:match "%-%-[%w_-]+" end
  table.sort(options)
  return options
end

describe("bash", function()
  local place
  before_each(function()
    place = scratch.open()
    place:write("rc", table.concat({ "source " .. quote(ROOT .. "/completion/lunet.bash"), "unset HISTFILE",
      "bind '\"\\C-t\": insert-completions'", "bind 'set completion-query-items -1'",
      "PATH=" .. quote(BUILD) .. ":$PATH", "" }, "\n"))
    assert(os.execute(("ln -s %s/experiments %s/experiments"):format(quote(ROOT), quote(place.path))))
    place:write("plain.lua", "io.open('ran', 'w'):close()")
  end)
  after_each(function() place:close() end)

  -- Types lines, each with a key at its end; returns the words of each after that.
  local function complete(key, lines)
    local typed = {}
    for i, line in ipairs(lines) do
      typed[i] = ("%s%s%sprintf '%%s\\n' >>out '' \n"):format(line, key, HOME)
    end
    place:write("typed", table.concat(typed) .. "exit\n")
    place:write("out", "")
    local bash = ("cd %s && script -qec 'bash --noprofile --rcfile rc -i' /dev/null <typed"):format(quote(place.path))
    local result = program.shell(bash)
    assert.equal(0, result.status, result.output)
    local all = {}
    for block in ("\n" .. place:read "out"):gsub("\n\n", "\n\0"):gmatch "%z([^%z]*)" do
      local words = {}
      for word in block:gmatch "[^\n]+" do words[#words + 1] = word end
      all[#all + 1] = words
    end
    assert.equal(#lines, #all, result.output)
    return all
  end

  local function assert_completed(expected, line)
    assert.same(expected, table.concat(complete(TAB, { line })[1], " "))
  end

  -- The words that may come next, sorted; the last word of the line itself if there is none.
  local function choices(line)
    local words = complete(ALL, { line })[1]
    local before = select(2, line:gsub("%S+ ", ""))
    local found = table.move(words, before + 1, #words, 1, {})
    table.sort(found)
    return found
  end

  it("completes the program's options and its commands", function()
    assert_completed("lunet --version", "lunet --ver")
    assert_completed("lunet doctor", "lunet doc")
    assert_completed("lunet -e x --virtual-time", "lunet -e x --vir")
    local commands = { "experiments", "plain.lua" }
    for name in help.of "":gmatch "\n  lunet (%l+) " do commands[#commands + 1] = name end
    table.sort(commands)
    assert.same(commands, choices "lunet ")
  end)

  it("completes an experiment of the installation by its name alone", function()
    assert_completed("lunet " .. BUILD .. "/share/lunet/experiments/stale_replay.lua", "lunet stale")
    assert_completed("lunet experiments/stale_replay.lua", "lunet experiments/stal")
    assert_completed("lunet sweep experiments/stale_replay.lua", "lunet sweep experiments/stal")
  end)

  -- Checks that `lunet WORDS --` is completed to the options of its help, for each of the words. Returns their number.
  local function assert_options(asked)
    local lines, count = {}, 0
    for i, words in ipairs(asked) do lines[i] = "lunet " .. words .. " --" end
    for i, words in ipairs(complete(ALL, lines)) do
      local given = select(2, lines[i]:gsub("%S+", "")) - 1
      local options = table.move(words, given + 1, #words, 1, {})
      table.sort(options)
      assert.same({ asked[i], options_of(help.of(asked[i])) }, { asked[i], options })
      count = count + #options
    end
    return count
  end

  it("completes the options of every command, and of a directory", function()
    assert.is_true(assert_options { "experiments", "doctor", "kernels", "queues", "sweep", "--kernel" } > 20)
  end)

  it("completes the options of an experiment, its knobs among them", function()
    local asked, folders = {}, {}
    for _, path in ipairs(files.all()) do -- the first of each folder
      local folder = path:match "^.*/"
      if not folders[folder] then asked[#asked + 1] = path end
      folders[folder] = true
    end
    asked[#asked + 1] = "sweep " .. asked[1]
    assert.is_true(assert_options(asked) > 80)
  end)

  it("completes the values of a knob, also after =", function()
    assert.same({ "looks", "serves" }, choices "lunet experiments/stale_replay.lua --server ")
    assert.same({ "looks", "serves" }, choices "lunet sweep experiments/stale_replay.lua --server ")
    assert_completed("lunet experiments/stale_replay.lua --server=looks",
      "lunet experiments/stale_replay.lua --server=l")
    assert.same({ "kernel", "none", "segments" }, choices "lunet --kernel 6.1 experiments/stale_replay.lua --record ")
  end)

  it("completes a file where one is wanted, and nothing where a number is", function()
    assert_completed("lunet experiments/stale_replay.lua --report plain.lua",
      "lunet experiments/stale_replay.lua --report pl")
    assert.same({}, choices "lunet experiments/stale_replay.lua --backlog ")
    assert.same({}, choices "lunet queues ")
  end)

  it("completes after names with blanks", function()
    assert(os.execute(("cd %s && mkdir 'a b' && cp experiments/stale_replay.lua 'a b'"):format(quote(place.path))))
    assert_completed("lunet a b/stale_replay.lua", "lunet a\\ b/st")
    assert_completed("lunet a b/stale_replay.lua --patience", "lunet a\\ b/stale_replay.lua --pat")
  end)

  it("never runs a script that is no experiment", function()
    assert.same({ "--" }, choices "lunet plain.lua --")
    assert.same({ "--no" }, choices "lunet sweep plain.lua --no")
    assert.is_nil(io.open(place.path .. "/ran"))
  end)

  it("completes nothing if the program cannot be found", function()
    place:write("rc", "source " .. quote(ROOT .. "/completion/lunet.bash") .. "\nPATH=/bin\n")
    assert_completed("lunet --ver", "lunet --ver")
  end)
end)
