--- Every public function, and whether it waits. Those that wait have
---
--- * `wait(room, timeout)`: calls it so that it would wait for ever (see spec/support/room.lua) and
---   returns what it returns;
--- * `takes_timeout`: whether `timeout` is passed on to it;
--- * `handle`: the name in the room of what it waits on, whose closing ends the wait;
--- * `besides`: what the room must have besides;
--- * `finish(room)`: makes what it waits for happen; returns the results that the call then has.
local lunet = require "lunet"

local DATA = ("x"):rep(1024 * 1024) -- more than the room's buffers take

-- An iterator's end says little; ended() says the rest.
local function next_line(connection, timeout)
  local line = connection:lines(timeout)()
  if line then return line end
  return nil, "lines: ended", connection:ended()
end

local function send(room, bytes)
  assert(room.near:send(bytes, 10))
end

return {
  lunet = {
    beside = {},
    can = {}, -- waits only for events that take seconds at most: links, a program's end
    connect = {
      takes_timeout = true,
      wait = function(room, timeout) return lunet.connect(room.full, timeout) end,
    },
    eventually = {
      takes_timeout = true,
      wait = function(room, timeout) return lunet.eventually(function() return room.has_come end, timeout) end,
      finish = function(room)
        room.has_come = true
        return true
      end,
    },
    drop = {},
    exec = {}, -- waits only until the program starts or fails, which it always does
    host = {},
    lan = {},
    link = {},
    listen = {},
    note = {},
    now = {},
    open_handles = {},
    scope = {
      wait = function(room)
        return lunet.scope(function()
          lunet.spawn(room.task.join, room.task)
          return "result"
        end)
      end,
      finish = function(room)
        room.task:cancel()
        return "result"
      end,
    },
    sockets = {},
    sleep = {
      wait = function() return lunet.sleep(math.huge) end,
    },
    spawn = {},
    together = {
      wait = function(room)
        return #lunet.together({ 1, 2 }, function() room.task:join() end)
      end,
      finish = function(room)
        room.task:cancel()
        return 0
      end,
    },
    watch = {},
    traceback = {},
    within = {
      takes_timeout = true,
      wait = function(room, timeout) return lunet.within(timeout or math.huge, room.task.join, room.task) end,
      finish = function(room)
        room.task:cancel()
        return true, nil, "the task was canceled (CANCELED)", "CANCELED"
      end,
    },
  },
  task = {
    cancel = {},
    join = {
      takes_timeout = true,
      wait = function(room, timeout) return room.task:join(timeout) end,
      finish = function(room)
        room.task:cancel()
        return nil, "the task was canceled (CANCELED)", "CANCELED"
      end,
    },
  },
  listener = {
    accept = {
      takes_timeout = true,
      handle = "listener",
      wait = function(room, timeout)
        local connection, message, code = room.listener:accept(timeout)
        if not connection then return nil, message, code end
        local _accepted <close> = connection
        return connection:peer()
      end,
      finish = function(room)
        local client <close> = assert(lunet.connect(room.listener, 10))
        return client:address()
      end,
    },
    address = {},
    close = {},
    gate = {},
    queue = {},
    get = {},
    resize = {},
    set = {},
    shutdown = {},
    serve = {
      handle = "listener",
      wait = function(room) return room.listener:serve(function() end) end,
    },
  },
  capture = {
    close = {},
    expect = {
      takes_timeout = true,
      besides = "tap",
      wait = function(room, timeout) return room.tap:expect({ "SYN" }, timeout) end,
    },
    segments = {},
    statistics = {},
  },
  host = {
    capture = {},
    route = {},
    close = {},
    connect = {
      takes_timeout = true,
      wait = function(room, timeout) return room.host:connect(room.host_full, timeout) end,
    },
    counters = {},
    destroy = {},
    drop = {},
    exec = {},
    listen = {},
    name = {},
    nat = {},
    sockets = {},
    synproxy = {},
    sysctl = {},
    tracked = {},
    watch = {},
  },
  network = {
    address = {},
    close = {},
    copy = {},
    cut = {},
    drop_next = {},
    expect = {
      takes_timeout = true,
      handle = "link",
      besides = "link",
      wait = function(room, timeout) return room.link:expect({}, timeout) end,
    },
    fates = {},
    held = {},
    hold = {},
    inject = {},
    mend = {}, -- waits only until the carriers are there
    name = {},
    plug = {}, -- likewise
    release = {},
    statistics = {},
    unplug = {},
  },
  process = {
    close = {},
    freeze = {},
    kill = {},
    pid = {},
    thaw = {},
    tree = {},
    usage = {},
    wait = {
      takes_timeout = true,
      wait = function(room, timeout) return room.process:wait(timeout) end,
      finish = function(room)
        assert(room.process:kill "SIGKILL")
        return "SIGKILL"
      end,
    },
  },
  watch = {
    close = {},
    peak = {},
  },
  rule = {
    close = {},
    lost = {},
  },
  connection = {
    address = {},
    close = {},
    discard = {
      takes_timeout = true,
      handle = "far",
      wait = function(room, timeout) return room.far:discard(4, timeout) end,
      finish = function(room)
        send(room, "data")
        return 4
      end,
    },
    dissolve = {},
    ended = {},
    get = {},
    info = {},
    lines = {
      takes_timeout = true,
      handle = "far",
      wait = function(room, timeout) return next_line(room.far, timeout) end,
      finish = function(room)
        send(room, "line\n")
        return "line"
      end,
    },
    liveness = {},
    peer = {},
    receive = {
      takes_timeout = true,
      handle = "far",
      wait = function(room, timeout) return room.far:receive(4, timeout) end,
      finish = function(room)
        send(room, "data")
        return "data"
      end,
    },
    reset = {},
    set = {},
    send = {
      takes_timeout = true,
      handle = "near",
      wait = function(room, timeout) return room.near:send(DATA, timeout) end,
      finish = function(room)
        assert(room.far:receive(#DATA, 10) == DATA)
        return #DATA
      end,
    },
    shutdown = {},
    state = {},
    unread = {},
    unsent = {},
  },
}
