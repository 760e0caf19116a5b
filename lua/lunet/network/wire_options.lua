--- The options of a wire, a link whose frames lunet forwards itself: what a script says of delay and chance. This file
--- checks them, and makes of them what the core takes for each of the two directions.
local core = require "lunet.core"
local option_table = require "lunet.text.options"

local wire_options = {}

local DEFAULT_CAPACITY <const> = 64 << 20
local MOST <const> = 1e9

local SECONDS <const> = option_table.from(0, "seconds", MOST)
local SHARE <const> = { expected = "a share from 0 to 1",
  accepts = function(any) return type(any) == "number" and any >= 0 and any <= 1 end }

--- The work of a wire on the frames of one direction.
---@class lunet.chance
---@field delay? number seconds, one way; default 0
---@field jitter? number seconds, at most the delay: each frame's delay is drawn evenly from delay - jitter to
--- delay + jitter, and then as long as the order needs; default 0
---@field loss? number|lunet.bursts the share of frames that are lost, each for itself; or losses in bursts
---@field duplicate? number the share of frames that arrive twice
---@field corrupt? number the share of frames that arrive with one bit of their data flipped: the checksum is wrong
---@field reorder? boolean|number true: jitter may change the order; or the share of frames that have no delay, and so
--- overtake
---@field mark? number the share of frames that get "congestion experienced", if their sender knows it (RFC 3168)
---@field rate? number bytes a second, Ethernet headers among them; default no limit
---@field capacity? number bytes on their way at once, those that wait for the rate among them; the wire drops frames
--- beyond them; default 64 MiB
---@field everything? boolean whether ARP, neighbour discovery and MLD meet chance, too

--- The model of Gilbert and Elliott: a channel has a good state and a bad one, and begins in the good one. After each
--- frame it may go over.
---@class lunet.bursts
---@field to_bad number the share of frames after which a good channel goes bad
---@field to_good number likewise back: bursts last 1 / to_good frames on average
---@field bad? number the share of frames that a bad channel loses; default 1
---@field good? number likewise a good one; default 0

local BURSTS <const> = { good = SHARE, bad = SHARE, to_bad = SHARE, to_good = SHARE }

local ONE_WAY <const> = { delay = SECONDS, jitter = SECONDS, loss = option_table.any, duplicate = SHARE,
  corrupt = SHARE, mark = SHARE, reorder = option_table.any, rate = option_table.from(1, "bytes a second", MOST * 1e3),
  capacity = option_table.from(0, "bytes", MOST), everything = option_table.truth }

--- The options about chance, for option tables that take them: by name.
---@type table<string, lunet.option>
wire_options.FIELDS = option_table.merged(ONE_WAY, { delay = option_table.any, seed = option_table.whole() })

local function check_loss(what, loss)
  if type(loss) == "table" then
    option_table.check(what .. ": loss", loss, BURSTS, { "to_bad", "to_good" })
  elseif loss ~= nil then
    option_table.value(what .. ": loss", loss, SHARE)
  end
end

local function check_order(what, given)
  local delay, jitter, reorder = given.delay or 0, given.jitter or 0, given.reorder
  if jitter > delay then
    core.misuse(("%s: jitter: at most the delay of %g s expected, not %g"):format(what, delay, jitter))
  end
  if reorder == nil or type(reorder) == "boolean" then
    if reorder and jitter == 0 then core.misuse(what .. ": reorder: true needs jitter, which changes the order") end
    return
  end
  option_table.value(what .. ": reorder", reorder, { expected = "true, false or a share from 0 to 1",
    accepts = SHARE.accepts })
  if reorder > 0 and delay == 0 then
    core.misuse(what .. ": reorder: a delay is needed: without it no frame waits that another could overtake")
  end
end

-- The table that the core takes (binding/wire.c).
local function settings_of(given)
  local loss, reorder = given.loss or 0, given.reorder
  local bursts = type(loss) == "table" and loss or { good = loss, to_bad = 0, to_good = 0 }
  return { delay = given.delay, jitter = given.jitter, duplicate = given.duplicate, corrupt = given.corrupt,
    mark = given.mark, rate = given.rate, capacity = given.capacity or DEFAULT_CAPACITY,
    everything = given.everything, reorder = reorder == true, overtake = type(reorder) == "number" and reorder or 0,
    loss = bursts.good or 0, loss_bad = bursts.bad or 1, to_bad = bursts.to_bad, to_good = bursts.to_good }
end

local DRAWN <const> = { jitter = true, loss = true, duplicate = true, corrupt = true, mark = true, reorder = true }

local function has_any(given, names)
  for name in pairs(names) do
    if given[name] ~= nil then return true end
  end
  return false
end

-- The options of one direction: those of both, the delay of this one, and its own table.
local function one_way(what, options, direction)
  local own = options[direction]
  local here = ("%s: %s"):format(what, direction)
  if own ~= nil then option_table.check(here, own, ONE_WAY) end
  local both = {}
  for name in pairs(ONE_WAY) do both[name] = options[name] end
  if type(both.delay) == "table" then both.delay = both.delay[direction] or 0 end
  local given = option_table.merged(both, own)
  check_loss(own and own.loss ~= nil and here or what, given.loss)
  check_order(own and here or what, given)
  return given
end

local function check_delay(what, delay, directions)
  if type(delay) == "table" then
    option_table.check(what .. ": delay", delay, { [directions[1]] = SECONDS, [directions[2]] = SECONDS })
  elseif delay ~= nil then
    option_table.value(what .. ": delay", delay, SECONDS)
  end
end

---@class lunet.wire_settings
---@field directions string[] their two names
---@field ways table[] for each direction, what the core takes
---@field seed integer
---@field is_drawn boolean whether lunet drew the seed, and a frame's fate depends on it
---@field has_capacity boolean whether the script gave a capacity

--- Checks the options of a wire, whose names the caller has checked. Raises when one is wrong.
---@param what string their owner: "link"
---@param options table
---@param directions string[] the two names of the directions: "a_to_b", "b_to_a"
---@return lunet.wire_settings? settings nil if no option asks for a wire
function wire_options.of(what, options, directions)
  check_delay(what, options.delay, directions)
  local ways, wanted, drawn, has_capacity = {}, false, false, false
  for i, direction in ipairs(directions) do
    local given = one_way(what, options, direction)
    wanted, drawn = wanted or has_any(given, ONE_WAY), drawn or has_any(given, DRAWN)
    ways[i], has_capacity = settings_of(given), has_capacity or given.capacity ~= nil
  end
  if not wanted then return nil end
  return { directions = directions, ways = ways, seed = options.seed or assert(core.new_seed()),
    is_drawn = drawn and options.seed == nil, has_capacity = has_capacity }
end

-- -- statistics --------------------------------------------------------------------------------

local COUNTS <const> = { "forwarded", "dropped", "lost", "over_capacity", "taken", "duplicated", "corrupted", "marked",
  "overtook", "late" }

local function with_mean(counts)
  counts.late_mean = counts.forwarded == 0 and 0.0 or counts.late_sum / counts.forwarded
  counts.late_sum = nil
  return counts
end

--- Adds up what wires did.
---@param wires lunet.wire[] of the core
---@param directions string[]
---@return table statistics with a table for each direction
function wire_options.statistics(wires, directions)
  local all = { late_sum = 0.0, late_max = 0.0 }
  for _, name in ipairs(COUNTS) do all[name] = 0 end
  local ways = { option_table.merged(all), option_table.merged(all) }
  for _, wire in ipairs(wires) do
    local first, second, unread = wire:statistics()
    all.dropped = all.dropped + unread
    for i, counts in ipairs { first, second } do
      for _, into in ipairs { all, ways[i] } do
        for _, name in ipairs(COUNTS) do into[name] = into[name] + counts[name] end
        into.late_sum, into.late_max = into.late_sum + counts.late_sum, math.max(into.late_max, counts.late_max)
      end
    end
  end
  for i, direction in ipairs(directions) do all[direction] = with_mean(ways[i]) end
  return with_mean(all)
end

return wire_options
