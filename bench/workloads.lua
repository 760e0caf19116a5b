--- The workloads, and the peers that take part.
---
--- A peer says how to run its program for a workload. A workload names the program, its arguments, and the metrics that
--- the program prints of a round, each with whether more or less is better. A peer without a program for a workload
--- does not take part in it; README.md says why.
local peers = {
  { name = "libuv", what = "libuv in C, streams and timers as its guide teaches them", build = "libuv" },
  { name = "epoll", what = "epoll in C, as the manual page has it", build = "epoll" },
  { name = "epoll, try first", what = "epoll in C, registering only what would block", build = "epoll-try-first" },
  { name = "lunet", what = "tasks", run = "lunet", directory = "lunet", suffix = ".lua" },
  { name = "lunet, handler", what = "a task only while a message is handled", run = "lunet", directory = "lunet",
    suffix = "-handler.lua" },
  { name = "luv", what = "libuv in Lua 5.4, callbacks", run = "lua5.4", directory = "luv", suffix = ".lua" },
  { name = "luv, coroutines", what = "the same with a layer of coroutines", run = "lua5.4",
    directory = "luv-coroutines", suffix = ".lua" },
  { name = "cqueues", what = "coroutines in Lua 5.4", run = "lua5.4", directory = "cqueues", suffix = ".lua" },
  { name = "Node", what = "net, callbacks", run = "node", directory = "node", suffix = ".mjs" },
  { name = "asyncio", what = "protocols, Python's own loop", run = "/usr/bin/python3", directory = "asyncio",
    suffix = ".py" },
  { name = "uvloop", what = "the same on uvloop's loop", run = "/usr/bin/python3", directory = "asyncio",
    suffix = ".py", more = "uvloop" },
}

local RATE = { { "rate", "more" }, { "cpu_rate", "more" } }
local LATENCY = { { "rate", "more" }, { "cpu_rate", "more" }, { "median_us", "less" }, { "p99_us", "less" } }

local workloads = {
  { name = "churn-1", what = "connect, accept, 64 bytes there and back, close; one after another: cycles/s",
    program = "churn", arguments = { 20000, 1 }, metrics = RATE },
  { name = "churn-64", what = "the same, 64 at a time: cycles/s",
    program = "churn", arguments = { 20000, 64 }, metrics = RATE },
  { name = "ping-pong", what = "64 bytes there and back on one connection, each receive with a timeout: trips/s",
    program = "pingpong", arguments = { 20000, 1 }, metrics = LATENCY },
  { name = "stream", what = "1 GiB in sends of 64 KiB: MiB/s",
    program = "stream", arguments = { 1024 }, metrics = RATE },
  { name = "discard", what = "the same, but nobody keeps a byte: MiB/s", yardstick = "epoll",
    program = "stream", arguments = { 1024, "discard" }, metrics = RATE,
    without = { libuv = true, luv = true, cqueues = true, node = true, asyncio = true } },
  { name = "ghosts", what = "4,000 connect, send 64 bytes and leave; then all are accepted and read: ghosts/s",
    program = "ghosts", arguments = { 4000 },
    metrics = { { "fill", "more" }, { "drain", "more" }, { "cpu_fill", "more" }, { "cpu_drain", "more" } } },
  { name = "arm-and-cancel", what = "ping-pong on 1,000 connections at once, a timeout pending on each: trips/s",
    program = "pingpong", arguments = { 50000, 1000 }, metrics = RATE, without = { epoll = true } },
  { name = "due", what = "200,000 deadlines within one second: how late, and how many too early",
    program = "due", arguments = { 200000 },
    metrics = { { "late_us", "less" }, { "late_p99_us", "less" }, { "early", "less" } } },
  { name = "idle", what = "9,900 pairs of connections, one end waiting for data: resident bytes a pair",
    program = "idle", arguments = { 9900 }, metrics = { { "bytes", "less" } } },
  { name = "start-up", what = "an empty script, from start to end", yardstick = "lua5.4",
    metrics = { { "median_us", "less" }, { "least_us", "less" } }, rows = "startup" },
  { name = "trace", what = "churn-1 with the queue looked at when it may have moved: cycles/s", yardstick = "off",
    arguments = { 20000, 1 }, metrics = RATE, rows = "trace" },
  { name = "sweep", what = "runs of stale_replay: runs/s, and ms of processor time for one", yardstick = "ip, 8",
    arguments = { 1000 }, metrics = { { "rate", "more" }, { "cpu_ms", "less" }, { "machine_ms", "less" } },
    rows = "sweep" },
}

return { peers = peers, workloads = workloads }
