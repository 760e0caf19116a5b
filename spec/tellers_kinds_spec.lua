-- Every teller knows every kind of event that doc/trace.schema.json describes.
local dkjson = require "dkjson"
local page = require "lunet.report.page"
local perfetto = require "lunet.files.perfetto"
local run_of = require("lunet.run.run").of
local story = require "lunet.tell.story"
local trace = require "lunet.files.trace"

local NO_EVENTS <const> = { run = true, tap = true, ["end"] = true }

-- Fields that only some events of their kind have, and the kinds that cannot be without them.
local RARE <const> = { stream = "^output_", code = "^unseen$", status = "^exit$", signal = "^signal$", cause = "^loss$",
  text = "^[dn]", only = "^$", lost = "^$", again = "^$", how = "^$" }

local SOCKET <const> = { local_address = "10.0.0.1:80", peer_address = "10.0.0.2:5", state = "ESTABLISHED",
  receive_queue = 3, send_queue = 0, owned = false }
local VALUES <const> = { host = 1, to_host = 2, at = 0.5, since = 0.1, arrived = 0.6, local_address = "10.0.0.1:80",
  peer_address = "10.0.0.2:5", from = "10.0.0.1:80", to = "10.0.0.2:5", local_port = 80, peer_port = 5,
  flags = "PSH,ACK", moved = { ListenDrops = 1 }, changed = { SOCKET } }
local OF_TYPES <const> = { integer = 3, number = 3, string = "words", boolean = true }

local function value_of(name, property)
  if VALUES[name] ~= nil then return VALUES[name] end
  if property.enum then return property.enum[1] end
  return OF_TYPES[type(property.type) == "table" and property.type[1] or property.type]
end

-- An event of a kind, with all fields that are not rare.
local function event_of(kind, properties)
  local e = { kind = kind, bytes = 0 }
  for name, property in pairs(properties) do
    if name ~= "kind" and (not RARE[name] or kind:find(RARE[name])) then e[name] = value_of(name, property) end
  end
  return e
end

local function read_schema()
  local file <close> = assert(io.open(os.getenv "LUNET_SOURCE" .. "/doc/trace.schema.json"))
  return assert(dkjson.decode(file:read "a"))["$defs"]
end

local function run_with(e)
  local note = { kind = "note", at = 0, text = "It begins." }
  return run_of { name = "one", claim = "It is told.", events = { note, e }, hosts = { "server", "client" }, began = 0,
    outcome = {}, verdict = "holds", environment = {}, values = {} }
end

local TELLERS <const> = { ["the report"] = page.html, ["the diagram"] = page.svg, perfetto = perfetto.encode,
  trace = trace.encode,
  ["the story"] = function(run) return story.rest(run, { is_whole = true, sequence = { unicode = true } }) end }

describe("every teller tells of", function()
  for def, schema in pairs(read_schema()) do
    local kinds = schema.properties and not NO_EVENTS[def] and schema.properties.kind or {}
    for _, kind in ipairs(kinds.enum or { kinds.const }) do
      it("an event of the kind " .. kind, function()
        for name, tell in pairs(TELLERS) do
          local run = run_with(event_of(kind, schema.properties))
          local text = tell(run)
          assert.is_true(#text > 0, name)
          assert.is_nil(text:find("cannot be told", 1, true), name .. ": " .. text)
        end
      end)
    end
  end
end)
