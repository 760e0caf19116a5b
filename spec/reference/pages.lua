--- The pages of the reference, in the order in which a reader meets their subjects.
---
---@class lunet.reference_page
---@field name string of its file
---@field class string whose functions it has
---@field holder string what stands before the names of the functions
---@field module? string the module that scripts require for it, besides lunet
---@field variable? string the name of the module's variable, if it is not the holder
---@field stage? string the class whose comment has the lines with which the examples begin; default `class`
---@field title string

---@type lunet.reference_page[]
return {
  { name = "lunet", class = "lunet", holder = "lunet", title = "The module lunet" },
  { name = "task", class = "lunet.task", holder = "task", title = "Tasks" },
  { name = "listener", class = "lunet.listener", holder = "listener", title = "Listeners" },
  { name = "connection", class = "lunet.connection", holder = "connection", title = "Connections" },
  { name = "host", class = "lunet.host", holder = "host", title = "Hosts" },
  { name = "link", class = "lunet.network", holder = "link", title = "Links and LANs" },
  { name = "rule", class = "lunet.rule", holder = "rule", title = "Rules" },
  { name = "capture", class = "lunet.capture", holder = "capture", title = "Captures" },
  { name = "watch", class = "lunet.watch", holder = "watch", title = "Watches" },
  { name = "process", class = "lunet.process", holder = "process", title = "Programs" },
  { name = "assert", class = "luassert.internal", holder = "assert", module = "lunet.assert",
    title = "Assertions for busted" },
  { name = "experiment", class = "lunet.experiment_module", holder = "experiment", module = "lunet.experiment",
    title = "Experiments" },
  { name = "lab", class = "lunet.lab", holder = "lab", module = "lunet.lab", title = "The beginning of experiments" },
  { name = "expect", class = "lunet.expect", holder = "expect", module = "lunet.run.expect",
    title = "Expectations of a check" },
  { name = "choice", class = "lunet.choice", holder = "choice", module = "lunet.run.choice",
    title = "Knobs that choose" },
  { name = "peer_process", class = "lunet.peer_process", holder = "peer_process", module = "lunet.peer_process",
    title = "Real servers" },
  { name = "scratch", class = "lunet.scratch", holder = "scratch", module = "lunet.peer.scratch",
    title = "Scratch directories" },
  { name = "workload", class = "lunet.workload", holder = "workload", module = "lunet.workload",
    title = "Open-loop load" },
  { name = "clients", class = "lunet.clients", holder = "clients", module = "lunet.workload", variable = "workload",
    stage = "lunet.workload", title = "Clients of a load" },
  { name = "statistics", class = "lunet.statistics", holder = "statistics", module = "lunet.load.statistics",
    title = "A few statistics" },
}
