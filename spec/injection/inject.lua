--- script/inject: many faults, several at a time.
--- arguments: CALLS ALLOCATIONS SEED LIBRARY JOBS
local injector = require "spec.injection.injector"
local lunet = require "lunet"
local random = require "lunet.load.random"

local calls_wanted, allocations_wanted, seed = tonumber(arg[1]), tonumber(arg[2]), math.tointeger(tonumber(arg[3]))
local library, jobs = arg[4], tonumber(arg[5])

local RUNS = {
  { "experiments/stale_replay.lua", "--patience", "0.01", "--json" },
  { "spec/injection/nouns.lua", "--json" },
}

local function shuffle(list, stream)
  for i = #list, 2, -1 do
    local j = 1 + math.floor(stream:uniform() * i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

local function take(list, count) return table.move(list, 1, math.min(count, #list), 1, {}) end

local function call_faults(words, stream)
  local faults = {}
  for _, call in ipairs(injector.calls(words)) do
    for _, code in ipairs(injector.CODES) do
      faults[#faults + 1] = { call = call.call, number = call.number, code = code }
    end
  end
  return shuffle(faults, stream)
end

local function allocation_faults(words, stream)
  local faults, first, last = {}, injector.allocations(words, library)
  for number = first, last do faults[#faults + 1] = { number = number, code = "ENOMEM", library = library } end
  return shuffle(faults, stream)
end

local began, queue, wrong = lunet.now(), {}, 0
for i, words in ipairs(RUNS) do
  local stream, truth = random.new(seed, "faults " .. i), injector.truth(words)
  for _, faults in ipairs { take(call_faults(words, stream), calls_wanted // #RUNS),
    take(allocation_faults(words, stream), allocations_wanted // #RUNS) } do
    for _, fault in ipairs(faults) do queue[#queue + 1] = { words = words, fault = fault, truth = truth } end
  end
end
shuffle(queue, random.new(seed, "order"))

local total, done, counts = #queue, 0, { calls = 0, allocations = 0 }
local workers = {}
for i = 1, jobs do workers[i] = i end
lunet.together(workers, function()
  while #queue > 0 do
    local job = table.remove(queue)
    local why = injector.try(job.words, job.fault, job.truth)
    done = done + 1
    local kind = job.fault.call and "calls" or "allocations"
    counts[kind] = counts[kind] + 1
    if why then
      wrong = wrong + 1
      print(("%s: %s"):format(injector.describe(job.words, job.fault), why:sub(1, 1000)))
      io.flush()
    end
    if done * 10 // total > (done - 1) * 10 // total then
      io.stderr:write(("%d of %d faults, %d wrong\n"):format(done, total, wrong))
    end
  end
end)
print(("seed %d: %d system calls and %d allocations failed, %d wrong, %.0f seconds"):format(seed, counts.calls,
  counts.allocations, wrong, lunet.now() - began))
os.exit(wrong == 0 and 0 or 1, true)
