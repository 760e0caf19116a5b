local experiment = require "lunet.experiment"
local run_class = require "lunet.run.run"

local run_of = run_class.of

local function listens(at, fields)
  local e = { kind = "listen", at = at, host = 1, socket = 1, label = "server", bytes = 1, local_port = 80,
    local_address = "0.0.0.0:80" }
  for field, value in pairs(fields or {}) do e[field] = value end
  return e
end

describe("a run", function()
  it("begins at its first event; a call that waited may have begun before", function()
    local run = run_of { events = { listens(5), { kind = "note", at = 6, since = 4.5, text = "x" } } }
    assert.same({ 5, 4.5 }, { run:zero(), run:earliest() })
    assert.same({ 0, 0 }, { run_of({}):zero(), run_of({}):earliest() })
  end)

  it("names hosts: by their names, home, or else by number", function()
    local run = run_of { hosts = { "server" } }
    assert.same({ "server", "home", "home", "host 2" },
      { run:host_name(1), run:host_name(0), run:host_name(nil), run:host_name(2) })
  end)

  it("derives who is who, the lines and the groups once", function()
    local run = run_of { events = { listens(1) }, hosts = { "server" } }
    for _, method in ipairs { "cast", "lines", "groups" } do
      assert.is_true(rawequal(run[method](run), run[method](run)), method)
    end
    assert.equal("listens, backlog 1", run:rows()[1].what)
    assert.same({ { at = 0, host = 1, who = "server", what = "listens, backlog 1" } }, run:groups()[1].lines)
  end)

  it("has the same cast after its lines are made, though those follow who uses an address next", function()
    local function connects(at, label, socket) return { kind = "connect", at = at, host = 1, socket = socket,
      label = label, bytes = 0, local_address = "10.0.0.1:5", peer_address = "10.0.0.2:80" } end
    local run = run_of { events = { connects(1, "first", 1), connects(2, "second", 2) } }
    assert.equal("second", run:lines()[2].who)
    assert.equal("first", run:cast():at("10.0.0.1:5", "10.0.0.2:80", 1))
  end)

  it("tells the seeds that lunet drew, and what wires did that nobody asked for", function()
    local function wire(counts, seed_drawn, capacity_given)
      return { name = "link of a and b", seed_drawn = seed_drawn, capacity_given = capacity_given, statistics = {
        seed = 7, late = counts.late or 0, forwarded = 40, late_max = 0.0021, over_capacity = counts.over or 0 } }
    end
    local calm = run_of { wires = { wire({}, false, false), wire({ over = 2 }, false, true) } }
    assert.same({ {}, {} }, { calm:seeds(), calm:wire_warnings() })
    assert.same({ {}, {} }, { run_of({}):seeds(), run_of({}):wire_warnings() })
    local run = run_of { wires = { wire({ late = 3 }, true, true), wire({ over = 2 }, true, false) } }
    assert.same({ "The link of a and b drew its seed: seed = 7.", "The link of a and b drew its seed: seed = 7." },
      run:seeds())
    assert.same({ "The link of a and b was late with 3 of 40 frames, at most by 2.1 ms.",
      "The link of a and b lost 2 frames beyond its capacity, which no script set." }, run:wire_warnings())
  end)

  it("says what was not seen: looks at the kernel that failed, failures, and segments that came too fast", function()
    local function unseen(at) return { kind = "unseen", at = at, host = 1, what = "sockets", code = "EMFILE" } end
    assert.same({}, run_of({}):unseen())
    assert.same({ "The kernel could not be asked once (EMFILE)." }, run_of({ events = { unseen(1) } }):unseen())
    assert.same({ "The kernel could not be asked 2 times (EMFILE).", "Not seen: a tap.",
      "7 segments came too fast to be seen." }, run_of({ events = { unseen(1), unseen(2) }, failures = { "a tap" },
      taps = { dropped = 7, error = 0 } }):unseen())
  end)

  it("of a script that could not be loaded has only the name of its file, and why", function()
    assert.same({ "a", "b", "c" }, { run_class.name_of "x/a.lua", run_class.name_of "b", run_class.name_of "/y/c" })
    assert.same({ format = 1, experiment = "a", verdict = "could not run", why = "no luck" },
      run_class.unloaded("x/a.lua", "no luck\nmore"):record())
  end)

  it("that could not run says why in one line", function()
    local run = run_of({ name = "a" }):fail "no luck\nstack traceback:\n\t..."
    assert.same({ format = 1, experiment = "a", verdict = "could not run", why = "no luck" }, run:record())
  end)

  it("says its verdict with its figures, or with the reason and then its figures", function()
    local function judgement(fields) return { run_of(fields):judgement() } end
    assert.same({ "The claim holds" }, judgement { verdict = "holds" })
    assert.same({ "The claim holds", "6 of 6." }, judgement { verdict = "holds", figures = "6 of 6" })
    assert.same({ "The claim does not hold", "it fails", "5 of 6!" },
      judgement { verdict = "does not hold", why = "it fails", figures = "5 of 6!" })
  end)

  it("keeps its knobs' values, whatever the experiment's functions do with theirs", function()
    local seen = {}
    local function change(knobs)
      seen[#seen + 1] = knobs.list[1] + knobs.k
      knobs.list[1], knobs.k = 100, 100
    end
    local declared = experiment { claim = "It is so.",
      knobs = { k = { 2, "things", "how many" }, list = { { 5 }, "things", "each" } },
      run = function(knobs) return {}, change(knobs) end, check = function(_, knobs) change(knobs) end,
      figures = function(_, knobs) change(knobs) return "" end, plot = function(_, knobs) change(knobs) return "" end }
    local run = declared:execute(declared:settings())
    assert.same({ "holds", { k = 2, list = { 5 } }, { 7, 7, 7, 7 } }, { run.verdict, run.values, seen })
  end)

  it("has, when it was executed, all that its experiment declares and found", function()
    local declared = experiment { claim = "It is so.", knobs = { k = { 2, "things", "how many" } }, columns = { "x" },
      run = function(knobs) return { x = knobs.k } end, check = function() end, figures = function() return "two" end }
    local run = declared:execute(declared:settings())
    assert.same({ "It is so.", "k", { "x" }, { k = 2 }, { x = 2 }, "holds", "two", 0 },
      { run.claim, run.knobs[1].name, run.columns, run.values, run.outcome, run.verdict, run.figures, run.lost })
  end)
end)
