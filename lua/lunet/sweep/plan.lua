--- The plan of a sweep: which points, how many runs of each, in which order, and what they were done with. It is
--- DIR/plan.json.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local identity = require "lunet.sweep.identity"
local json = require "lunet.text.json"
local knob = require "lunet.run.knob"
local points = require "lunet.sweep.points"
local random = require "lunet.load.random"

local dkjson = dependency "dkjson"

local plan = {}
plan.__index = plan

local FORMAT <const> = 2 -- of the file; format 1 had no `commands`
local ID_DIGITS <const> = 12 -- of a point: of 100,000 points two are the same by a chance of 2 in 100,000

---@class lunet.plan
---@field experiment string its name
---@field script string the absolute path of its file
---@field command string the latest command line
---@field commands string[][] the words behind the script of each command line that brought points or runs
---@field exclusive boolean whether its runs go one at a time on a machine
---@field seeded boolean whether each replicate has a seed of its own
---@field seed integer that of the first replicate
---@field runs integer replicates of each point
---@field rule? {figure: string, share: number} of --until: which interval must be how narrow (lunet.sweep.precision)
---@field most? integer with a rule: the most runs of a point
---@field axes string[] the knobs that the sweep names, in the order of the command line
---@field points {id: string, knobs: table<string, string>, runs: integer?}[] the values of all knobs but the seed, as
--- on a command line; runs: of a point that has more than the others
---@field measures table[] what the experiment declares to be measured (lunet.run.measure)
---@field identities table<string, string>[] what runs were done with (lunet.sweep.identity); more than one by --mix

local function point_of(settings)
  local names, knobs = {}, {}
  for name, value in pairs(settings) do
    names[#names + 1] = name
    knobs[name] = knob.text(value)
  end
  table.sort(names)
  local words = {}
  for i, name in ipairs(names) do words[i] = ("%s=%q"):format(name, knobs[name]) end
  return { id = identity.hash(table.concat(words, " ")):sub(1, ID_DIGITS), knobs = knobs }
end

-- Adds the points that are new, and the further runs of the others.
local function add_points(self, added)
  local known = {}
  for _, point in ipairs(self.points) do known[point.id] = point end
  for _, point in ipairs(added) do
    local own = known[point.id]
    if not own then
      self.points[#self.points + 1], known[point.id] = point, point
    elseif point.runs then
      own.runs = math.max(own.runs or 0, point.runs)
    end
  end
end

local function find_seed(experiment)
  for _, k in ipairs(experiment.knobs) do
    if k.name == points.SEED then return k end
  end
  return nil
end

--- Makes a plan. Raises an error if a replicate's seed is not allowed.
---@param experiment table
---@param settings table<string, any>[] of each point, from points.make
---@param given {name: string, script: string, command: string, arguments: string[], axes: string[], runs: integer,
---  seed: integer, rule: table?, most: integer?, identity: table<string, string>}
---@return lunet.plan
function plan.new(experiment, settings, given)
  local seed = find_seed(experiment)
  if seed then
    seed:check(given.seed)
    seed:check(given.seed + math.max(given.runs, given.most or 0) - 1)
  end
  local self = setmetatable({ experiment = given.name, script = given.script,
    command = given.command, commands = { given.arguments }, exclusive = experiment.exclusive,
    seeded = seed ~= nil, seed = given.seed, runs = given.runs, rule = given.rule, most = given.most,
    axes = given.axes, points = {},
    measures = experiment.measures, identities = { given.identity } }, plan)
  local added = {}
  for i, values in ipairs(settings) do added[i] = point_of(values) end
  add_points(self, added)
  return self
end

-- -- runs -----------------------------------------------------------------------------------

--- Shuffles a list, by the seed and the number of the round, so that a drift of the machine spreads over the points.
local function shuffle(list, seed, round)
  local stream = random.new(seed, "round " .. round)
  for i = #list, 2, -1 do
    local other = 1 + math.floor(stream:uniform() * i)
    list[i], list[other] = list[other], list[i]
  end
  return list
end

--- All runs in the order in which they are done: replicate 1 of every point, then replicate 2; in each round the points
--- are shuffled by the seed.
---@return {name: string, point: table, replicate: integer, seed: integer?}[]
function plan:list()
  local list = {}
  for replicate = 1, self:most_runs() do
    local round = shuffle(table.move(self.points, 1, #self.points, 1, {}), self.seed, replicate)
    for _, point in ipairs(round) do
      if replicate <= self:runs_of(point) then list[#list + 1] = self:run_of(point, replicate) end
    end
  end
  return list
end

--- How many runs a point has.
---@param point table
---@return integer
function plan:runs_of(point) return math.max(self.runs, point.runs or 0) end

--- How many runs the point with the most of them has.
---@return integer
function plan:most_runs()
  local most = self.runs
  for _, point in ipairs(self.points) do most = math.max(most, self:runs_of(point)) end
  return most
end

--- One run of a point.
---@param point table
---@param replicate integer from 1
---@return {name: string, point: table, replicate: integer, seed: integer?}
function plan:run_of(point, replicate)
  return { name = ("%s-r%d"):format(point.id, replicate), point = point, replicate = replicate,
    seed = self.seeded and self.seed + replicate - 1 or nil }
end

--- A plan of the first run of the first point alone.
---@return lunet.plan
function plan:first_run()
  local first = setmetatable({}, plan)
  for field, value in pairs(self) do first[field] = value end
  first.points, first.runs = { { id = self.points[1].id, knobs = self.points[1].knobs } }, 1
  return first
end

--- The words behind lunet's own that do a run by itself.
---@param run table from list, run_of or find
---@return string[]
function plan:words(run)
  local words = { self.script }
  for _, name in ipairs(self.axes) do
    table.move({ "--" .. name, run.point.knobs[name] }, 1, 2, #words + 1, words)
  end
  if run.seed then table.move({ "--seed", tostring(run.seed) }, 1, 2, #words + 1, words) end
  return words
end

--- The run of a name.
---@param name string
---@return table|nil run nil if the plan has none of that name
function plan:find(name)
  local id, replicate = name:match "^(%x+)%-r(%d+)$"
  replicate = math.tointeger(tonumber(replicate))
  for _, point in ipairs(self.points) do
    local has = point.id == id and replicate and replicate >= 1 and replicate <= self:runs_of(point)
    if has then return self:run_of(point, replicate) end
  end
  return nil
end

-- -- the file -------------------------------------------------------------------------------

-- The hash of all that is in the file, in one order of its keys.
local function seal_of(data)
  local all = {}
  for key, value in pairs(data) do
    if key ~= "seal" then all[key] = value end
  end
  return identity.hash(json.encode(all))
end

--- Writes DIR/plan.json, whole or not at all.
---@param directory string
---@return true|nil
---@return string? message
function plan:save(directory)
  local data = { format = FORMAT }
  for key, value in pairs(self) do data[key] = value end
  data.seal = seal_of(data)
  return core.replace_file(directory .. "/plan.json", json.encode(data, { "format", "experiment", "script" }) .. "\n")
end

--- Reads DIR/plan.json.
---@param directory string
---@return lunet.plan|nil
---@return string? message
---@return string? code "ENOENT" if there is none
function plan.load(directory)
  local path = directory .. "/plan.json"
  local file <close>, message, number = io.open(path, "rb")
  if not file then return nil, message, number == 2 and "ENOENT" or nil end
  local data = dkjson.decode(file:read "a" or "")
  if type(data) ~= "table" or data.format ~= FORMAT then
    return nil, ("%s: this is no plan of format %d"):format(path, FORMAT)
  end
  if data.seal ~= seal_of(data) then return nil, path .. ": it was changed by hand, after its runs began" end
  data.format, data.seal = nil, nil
  return setmetatable(data, plan)
end

-- -- another plan for the same directory --------------------------------------------------------

-- The command that goes on with a sweep is not another one.
local function add_commands(self, added)
  local known = {}
  for _, words in ipairs(self.commands) do known[table.concat(words, "\0")] = true end
  for _, words in ipairs(added) do
    if not known[table.concat(words, "\0")] then self.commands[#self.commands + 1] = words end
  end
end

local SAME <const> = { "experiment", "seeded", "seed" } -- which two plans for one directory have in common

--- Adds the points and runs of a later plan to those of a directory.
---@param later lunet.plan
---@param mix? boolean whether its script, lunet and kernel may be others
---@return true|nil
---@return string? message what differs
function plan:extend(later, mix)
  for _, field in ipairs(SAME) do
    if self[field] ~= later[field] then
      return nil, ("it is of another sweep: %s is %s, not %s"):format(field, tostring(self[field]),
        tostring(later[field]))
    end
  end
  for _, one in ipairs(later.identities) do
    local difference = self:mix(one, mix)
    if difference then return nil, difference .. " (--mix: do the rest with it)" end
  end
  self.script, self.command, self.measures = later.script, later.command, later.measures
  self.rule, self.most = later.rule, later.most
  add_commands(self, later.commands)
  self.runs = math.max(self.runs, later.runs)
  local known = {}
  for _, name in ipairs(self.axes) do known[name] = true end
  for _, name in ipairs(later.axes) do
    if not known[name] then self.axes[#self.axes + 1] = name end
  end
  add_points(self, later.points)
  return true
end

--- The number of an identity among those that the plan's runs were done with.
---@param one table<string, string>
---@return integer|nil number
function plan:identity_of(one)
  for i, known in ipairs(self.identities) do
    if not identity.difference(known, one) then return i end
  end
  return nil
end

--- Takes in an identity that is new to the plan, if that may be.
---@param one table<string, string>
---@param may? boolean
---@return string|nil difference from the latest one, if it may not
function plan:mix(one, may)
  if self:identity_of(one) then return nil end
  if not may then return identity.difference(self.identities[#self.identities], one) end
  self.identities[#self.identities + 1] = one
  return nil
end

return plan
