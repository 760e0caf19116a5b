--- The map of the tests, where it is not plain from the names: spec/map_spec.lua checks it.
---
--- A source core/FLOOR/NOUN.c has spec/NOUN_spec.lua or spec/core/NOUN_check.c; core/binding/task/NOUN.c has
--- spec/task_NOUN_spec.lua. lua/lunet/FLOOR/NOUN.lua has spec/FLOOR/NOUN_spec.lua, and experiments/FOLDER/NAME.lua has
--- spec/experiments/FOLDER/NAME_spec.lua. A noun has several specs if one would be too long, or needs another tool:
--- NOUN_SUBJECT_spec.lua.
---
--- A spec of a tool or a document has its path: spec/script/kernel_6_1_spec.lua tests script/kernel-6.1. The tests' own
--- files have their specs beside them: spec/api_spec.lua tests spec/api.lua.
local map = {}

--- Sources without a spec of their own: the specs that would fail without them, and why there is no other.
---@type table<string, string>
map.WITHOUT_SPEC = {
  ["core/binding/box.c"] = "a part of every Lua type: misuse_spec.lua, listener_spec.lua",
  ["core/binding/connect.c"] = "the call that makes a connection: connection_spec.lua",
  ["core/binding/core.c"] = "the list of all calls: api_spec.lua",
  ["core/binding/failure.c"] = "the shape of every failure: misuse_spec.lua",
  ["core/binding/field.c"] = "fields of the tables that calls take: misuse_spec.lua",
  ["core/binding/file.c"] = "calls for the library's files: replacement_spec.lua, peer/scratch_spec.lua",
  ["core/binding/type.c"] = "a part of every Lua type: misuse_spec.lua",
  ["core/binding/task/life.c"] = "a part of the type task: task_spec.lua",
  ["core/binding/task/nursery.c"] = "a part of the type task: task_spec.lua",
  ["core/binding/task/outcome.c"] = "a part of the type task: task_spec.lua",
  ["core/binding/task/runtime.c"] = "a part of the type task: task_ending_spec.lua",
  ["core/binding/task/state.c"] = "a part of the type task: task_spec.lua",
  ["core/binding/task/timeout.c"] = "a part of the type task: task_cancel_spec.lua",
  ["core/chunk.c"] = "runs the program's script: main_spec.lua",
  ["core/remover.c"] = "a process that outlives lunet: peer/scratch_spec.lua",
  ["core/handle/child.c"] = "below programs: process_spec.lua",
  ["core/handle/full_output.c"] = "a fact that only the story tells: foreign_spec.lua",
  ["core/handle/loop.c"] = "below everything that waits: core/watch_check.c, core/deadline_check.c",
  ["core/handle/op.c"] = "below everything that waits: core/deadline_check.c",
  ["core/handle/snapshot.c"] = "a part of the trace: trace_spec.lua",
  ["core/platform/file.c"] = "single system calls: replacement_spec.lua, peer/scratch_spec.lua",
  ["core/platform/firewall.c"] = "below rules: core/rule_check.c, network/rule_spec.lua",
  ["core/platform/identity.c"] = "below hosts and programs: program_spec.lua",
  ["core/platform/keeper.c"] = "a process between a program and its reader: stream_spec.lua",
  ["core/platform/namespace.c"] = "below hosts: network/host_spec.lua",
  ["core/platform/namespace_file.c"] = "below settings: network/sysctl_spec.lua, network/counters_spec.lua",
  ["core/platform/netlink_socket.c"] = "below links: network/link_spec.lua",
  ["core/platform/nft.c"] = "below rules: core/rule_check.c",
  ["core/platform/packet.c"] = "below wires and captures: wire_spec.lua, capture_spec.lua",
  ["core/platform/sock_diag.c"] = "below sockets: sockets_spec.lua",
  ["core/platform/socket.c"] = "single system calls: connection_spec.lua, listener_spec.lua",
  ["core/platform/source.c"] = "below connections: address_link_local_spec.lua",
  ["core/platform/spawn.c"] = "below programs: program_spec.lua",
  ["core/platform/stamp.c"] = "below captures: capture_spec.lua",
  ["core/platform/tap.c"] = "below captures: capture_spec.lua",
  ["core/platform/unix_listeners.c"] = "below sockets: sockets_spec.lua",
  ["core/platform/unix_queue.c"] = "below listeners: listener_spec.lua",
  ["lua/lunet/command/sweep_line.lua"] = "the words of one command: command/sweep_misuse_spec.lua",
  ["lua/lunet/sweep/directory.lua"] = "a plan and its runs together: command/sweep_spec.lua",
  ["lua/lunet/sweep/worker.lua"] = "a process of the runner: sweep/runner_spec.lua",
  ["lua/lunet/load/remedy.lua"] = "their experiment judges the remedies: load/trial_spec.lua",
  ["lua/lunet/network/interfaces.lua"] = "a part of networks: network/link_spec.lua, network/lan_spec.lua",
  ["lua/lunet/network/network.lua"] = "the common part of links and LANs: network/link_spec.lua, network/lan_spec.lua",
  ["lua/lunet/peer_process.lua"] = "another name: peer/process_spec.lua",
  ["lua/lunet/report/diagram_style.lua"] = "a style sheet: report/diagram_spec.lua",
  ["lua/lunet/report/marks.lua"] = "the parts of a diagram: report/diagram_spec.lua",
  ["lua/lunet/report/page_style.lua"] = "a style sheet: report/page_spec.lua",
  ["lua/lunet/report/pen.lua"] = "the drawing of a diagram: report/diagram_spec.lua",
  ["lua/lunet/workload.lua"] = "another name: load/workload_spec.lua",
}

--- Specs of no single file: their subject.
---@type table<string, string>
map.OF_THE_WHOLE = {
  ["spec/documented_spec.lua"] = "facts that README.md states in half a sentence",
  ["spec/module_spec.lua"] = "the module in a stock lua5.4",
  ["spec/orphan_spec.lua"] = "nothing is left of lunet, however it ends",
  ["spec/tellers_spec.lua"] = "the same bad text in every teller",
  ["spec/unchecked_spec.lua"] = "calls in experiments and lua whose failure nobody would see",
  ["spec/witnesses_spec.lua"] = "all files of one run against each other",
}

return map
