local lunet = require "lunet"
local merged = require "spec.support.merged"
local remedies = require "lunet.load.remedy"
local trial = require "lunet.load.trial"

local BOUND <const> = require "spec.support.bound"

local function wait_for(predicate) assert(lunet.eventually(predicate, BOUND)) end

local OPTIONS = { patience = 0.3, service = 0.002, delay = 0, backlog = 20 }

-- Calls fn(trial, clients) while the server serves.
local function with_trial(remedy, fn)
  lunet.scope(function()
    local tried = trial.open(remedy, OPTIONS)
    tried:start()
    fn(tried, tried:new_clients(BOUND, 0))
    tried:stop()
  end)
end

local function request(number, fields)
  return merged({ number = number, service = 0.001, jitter = {}, attempts = 0 }, fields)
end

-- One that holds the server until it may leave.
local function hold(clients)
  local holder = request(0, { hold = true })
  lunet.spawn(clients.send, clients, holder)
  wait_for(function() return holder.is_served end)
  return holder
end

local function numbers(tried)
  local list = {}
  for i, one in ipairs(tried.executed) do list[i] = one.number end
  return list
end

describe("a trial", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("serves one after the other, also clients that half-close, and tells what was carried out", function()
    with_trial({ name = "none" }, function(tried, clients)
      assert.is_true(clients:send(request(1)))
      assert.is_true(clients:send(request(2, { half_closes = true })))
      assert.same({ 1, 2 }, numbers(tried))
      assert.is_nil(tried.executed[1].stale)
    end)
  end)

  it("knows what was carried out for clients that had left", function()
    with_trial({ name = "none" }, function(tried, clients)
      local holder = hold(clients)
      assert.is_false(tried:new_clients(0.02, 0):send(request(1)))
      holder.may_leave = true
      assert.is_true(clients:send(request(2)))
      assert.same({ 0, 1, 2 }, numbers(tried))
      assert.same({ false, true, false },
        { tried.executed[1].stale or false, tried.executed[2].stale or false, tried.executed[3].stale or false })
    end)
  end)

  it("asks what the remedy asks before it works, but of those that hold it", function()
    local remedy = { name = "odd", is_wanted = function(_, asked) return asked.number % 2 == 1 end }
    with_trial(remedy, function(tried, clients)
      local holder = hold(clients)
      holder.may_leave = true
      assert.is_true(clients:send(request(1)))
      assert.is_false(clients:send(request(2)))
      assert.same({ 0, 1 }, numbers(tried))
    end)
  end)

  it("carries out once what has the same key", function()
    with_trial({ name = "id", key = function(asked) return asked.number end }, function(tried, clients)
      assert.is_true(clients:send(request(1)))
      assert.is_true(clients:send(request(1)))
      assert.same({ 1 }, numbers(tried))
    end)
  end)

  it("lets clients that left say so, beside the queue", function()
    local remedy = { name = "cancel", cancels = "control",
      is_wanted = function(_, asked, tried) return not tried.canceled[asked.id] end }
    with_trial(remedy, function(tried, clients)
      local holder = hold(clients)
      assert.is_false(tried:new_clients(0.02, 0):send(request(1)))
      wait_for(function() return tried.canceled["1.1"] end)
      holder.may_leave = true
      assert.is_true(clients:send(request(2)))
      assert.same({ 0, 2 }, numbers(tried))
    end)
  end)

  it("lets clients say how long they wait, and wait for a greeting", function()
    local said
    local remedy = { name = "says", greets = true, waits = true, says = function(left) return left end,
      is_wanted = function(_, asked)
        said = asked.said
        return true
      end }
    with_trial(remedy, function(_, clients)
      assert.is_true(clients:send(request(1)))
      assert.is_true(said > BOUND - 5 and said <= BOUND)
    end)
  end)

  it("has the backlog that is a share of what can be served within the patience", function()
    for share, limit in pairs { [0] = 0, [0.5] = 74 } do -- 0.3 s / 0.002 s
      with_trial({ name = "short", backlog = share }, function(tried)
        assert.equal(limit, tried.server.listener:queue().limit)
      end)
    end
    with_trial({ name = "none" }, function(tried) assert.equal(20, tried.server.listener:queue().limit) end)
  end)
end)

describe("the remedies", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("have each a name of their own, with the naive versions after them", function()
    local seen, last = {}, nil
    for _, remedy in ipairs(remedies) do
      local title = remedy.name .. ", " .. (remedy.naive or "-")
      assert.is_nil(seen[title], title)
      seen[title] = true
      if remedy.naive then assert.equal(last, remedy.name) end
      last = remedy.name
    end
  end)

  for _, remedy in ipairs(remedies) do
    if not remedy.naive then
      it(("serve a client that is alone: %s"):format(remedy.name), function()
        with_trial(remedy, function(tried, clients)
          assert.is_true(clients:send(request(1)))
          assert.is_true(clients:send(request(2, { half_closes = true })))
          assert.same({ 1, 2 }, numbers(tried))
        end)
      end)
    end
  end
end)
