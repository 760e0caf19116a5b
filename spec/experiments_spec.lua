-- The standard that every experiment is held to. None is run here: each has a spec of its own for that.
local catalogue = require "lunet.command.catalogue"
local page = require "lunet.report.page"
local pcapng = require "lunet.files.pcapng"
local run_class = require "lunet.run.run"
local tshark = require "spec.support.tshark"

local entries, others = assert(catalogue.load "experiments")

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local FOLLOWING = 50 -- so many ports behind one that is called the first are used, too

-- The numbers of ports in the lines that speak of one.
local function ports_of(path)
  local ports = {}
  for line in io.lines(path) do
    local code = line:gsub("%-%-.*", "")
    if code:lower():find "port" or code:find "listen" or code:find ":%d%d%d%d" then
      for number in code:gmatch "%f[%w_]%d%d%d%d%d?%f[^%w_]" do
        local port = math.tointeger(tonumber(number))
        for following = 0, code:find "FIRST_PORT" and FOLLOWING or 0 do ports[port + following] = true end
      end
    end
  end
  return ports
end

-- Ports to which tshark takes some bytes for a message of a protocol that they are not.
local function mistaken(ports)
  local events, of_row, wrong = {}, {}, {}
  for port in pairs(ports) do
    events[#events + 1], of_row[#of_row + 1] = tshark.data_to(port), port
  end
  local run = require("lunet.run.run").of { events = events, hosts = { "a" } }
  local rows, result = tshark.read(pcapng.encode(run), "frame.protocols")
  assert.equal(0, result.status, result.errors)
  assert.equal(#events, #rows)
  for i, row in ipairs(rows) do
    if row[1] ~= "raw:ip:tcp:data" then wrong[#wrong + 1] = ("%d: %s"):format(of_row[i], row[1]) end
  end
  return wrong
end

describe("experiments/", function()
  it("use ports that tshark takes for plain TCP data", function()
    local files, ports = { "lua/lunet/lab.lua", "lua/lunet/load/trial.lua", "lua/lunet/load/overload.lua" }, {}
    for _, entry in ipairs(entries) do files[#files + 1] = entry.file end
    for _, file in ipairs(files) do
      for port in pairs(ports_of(file)) do ports[port] = true end
    end
    assert.is_true(ports[7300], "a port that they do use was not found")
    assert.same({}, mistaken(ports))
    assert.equal(1, #mistaken { [7000] = true }, "Gryphon's port was taken for plain data")
  end)

  it("holds experiments, and no other Lua files", function()
    assert.is_true(#entries > 0)
    assert.same({}, others)
  end)

  it("has each name once, since spec/outcomes and spec/figures go by it", function()
    local seen = {}
    for _, entry in ipairs(entries) do
      assert.is_nil(seen[entry.name], entry.file)
      seen[entry.name] = entry.file
    end
  end)

  -- script/run experiments/ --all --markdown makes it.
  it("has a README.md that lists all of them, with their claims, and no others", function()
    local listed, declared = {}, {}
    for name, file, claim in read "experiments/README.md":gmatch "\n| %[(.-)%]%((.-)%) | (.-) | [^|]* | [^|]* |" do
      listed[file] = name .. ": " .. claim:gsub("\\|", "|")
    end
    for _, entry in ipairs(entries) do
      local claim = entry.experiment and entry.experiment.claim or ""
      declared[entry.file:gsub("^experiments/", "")] = entry.name .. ": " .. claim:gsub("%s+", " ")
    end
    assert.same(declared, listed)
  end)
end)

for _, entry in ipairs(entries) do
  describe("the experiment " .. entry.name, function()
    it("can be loaded", function() assert.is_nil(entry.why) end)
    if not entry.experiment then return end
    local text = read(entry.file)

    it("has a claim of one sentence, or two", function()
      local claim = entry.experiment.claim
      assert.match("^%S.*%.$", claim)
      assert.is_true(select(2, claim:gsub("[.!?] ", "%0")) <= 1, claim)
      for sentence in (claim .. " "):gmatch "(.-)%. " do
        assert.is_true(select(2, sentence:gsub("%S+", "")) <= 25, sentence)
      end
    end)

    it("leaves most of its report to events", function()
      local run = run_class.new(entry.experiment, entry.experiment:settings(), entry.name)
      run.outcome, run.verdict = {}, "holds"
      assert.is_true(#page.html(run) < page.MOST / 5)
    end)

    it("has a control: knobs with which its claim is false", function()
      assert.is_table(entry.experiment.control)
      assert.is_not_nil(next(entry.experiment.control))
    end)

    it("has figures", function() assert.is_function(entry.experiment.figures) end)

    it("has a spec", function()
      local spec = io.open("spec/" .. entry.file:gsub("%.lua$", "_spec.lua"))
      assert.is_not_nil(spec)
      spec:close()
    end)

    it("keeps a program under test in a file of its own", function()
      assert.is_nil(text:find '"%-e"')
    end)

    it("merges no tables by hand: options.merged does it", function()
      assert.is_nil(text:match "(for ([%w_]+), ([%w_]+) in pairs%b() do%s+[%w_.]+%[%2%] = %3%s+end)")
    end)

    it("says in its head, in four labelled paragraphs, what it claims, why, where it was met and what to do", function()
      local head = text:match "^(.-)\n[^%-]" .. "\n--\n"
      local labels, paragraphs = { "Claim", "Why", "Where it was met", "What to do" }, {}
      for paragraph in head:gmatch "(.-)\n%-%-\n" do
        paragraphs[#paragraphs + 1] = paragraph:gsub("\n?%-%- ", " "):sub(2)
      end
      assert.equal(#labels, #paragraphs)
      for i, label in ipairs(labels) do assert.match("^" .. label .. "%. %S", paragraphs[i]) end
      assert.equal("Claim. " .. entry.experiment.claim, paragraphs[1])
    end)
  end)
end
