--- The map of the tests, where it is not plain from the names: spec/map_spec.lua checks it.
---
--- A source core/FLOOR/NOUN.c has spec/NOUN_spec.lua or spec/core/NOUN_check.c; core/binding/task/NOUN.c has
--- spec/task_NOUN_spec.lua. lua/lunet/FLOOR/NOUN.lua has spec/FLOOR/NOUN_spec.lua, and experiments/FOLDER/NAME.lua has
--- spec/experiments/FOLDER/NAME_spec.lua. A noun has several specs if one would be too long, or needs another tool:
--- NOUN_SUBJECT_spec.lua.
---
--- A spec of a tool or a document has its path: spec/script/packages_spec.lua tests script/packages. The tests' own
--- files have their specs beside them: spec/api_spec.lua tests spec/api.lua.
local map = {}

--- Sources without a spec of their own: the specs that would fail without them, and why there is no other.
---@type table<string, string>
map.WITHOUT_SPEC = {
  ["core/binding/box.c"] = "a part of every Lua type: misuse_spec.lua, listener_spec.lua",
  ["core/binding/connect.c"] = "the call that makes a connection: connection_spec.lua",
  ["core/binding/core.c"] = "the list of all calls: api_spec.lua",
  ["core/binding/field.c"] = "fields of the tables that calls take: misuse_spec.lua",
  ["core/binding/idlers.c"] = "a part of serve: network/serving_spec.lua",
  ["core/handle/idlers.c"] = "a part of serve: network/serving_spec.lua",
  ["core/binding/neighbours.c"] = "a part of runs: run/interference_spec.lua",
  ["core/platform/neighbours.c"] = "a part of runs: run/interference_spec.lua",
  ["core/binding/type.c"] = "a part of every Lua type: misuse_spec.lua",
  ["core/binding/task/life.c"] = "a part of the type task: task_spec.lua",
  ["core/binding/task/nursery.c"] = "a part of the type task: task_spec.lua",
  ["core/binding/task/outcome.c"] = "a part of the type task: task_spec.lua",
  ["core/binding/task/runtime.c"] = "a part of the type task: task_ending_spec.lua",
  ["core/binding/task/state.c"] = "a part of the type task: task_spec.lua",
  ["core/binding/task/timeout.c"] = "a part of the type task: task_cancel_spec.lua",
  ["lua/lunet/kernel/uml.lua"] = "an engine of guests: kernel/guest_spec.lua, command/kernel_spec.lua",
  ["lua/lunet/kernel/initramfs.lua"] = "the root of an emulated guest: kernel/qemu_spec.lua",
  ["lua/lunet/kernel/debian.lua"] = "asks Debian's package client: command/kernels_spec.lua",
  ["lua/lunet/kernel/program.lua"] = "runs programs to their end: kernel/cache_spec.lua, command/kernels_spec.lua",
  ["lua/lunet/kernel/provision.lua"] = "finds kernels for commands: command/kernel_spec.lua, command/kernels_spec.lua",
  ["core/chunk.c"] = "runs the program's script: main_spec.lua",
  ["core/remover.c"] = "a process that outlives lunet: peer/scratch_spec.lua",
  ["core/handle/child.c"] = "below programs: process_spec.lua",
  ["core/handle/full_output.c"] = "a fact that only the story tells: foreign_spec.lua",
  ["core/handle/loop.c"] = "below everything that waits: core/watch_check.c, core/deadline_check.c",
  ["core/handle/op.c"] = "below everything that waits: core/deadline_check.c",
  ["core/binding/event.c"] = "the fields of events: trace_spec.lua, files/trace_spec.lua",
  ["core/handle/snapshot.c"] = "a part of the trace: trace_spec.lua",
  ["core/platform/firewall.c"] = "below rules: core/rule_check.c, network/rule_spec.lua",
  ["core/platform/identity.c"] = "below hosts and programs: program_spec.lua",
  ["core/platform/keeper.c"] = "a process between a program and its reader: stream_spec.lua",
  ["core/platform/namespace.c"] = "below hosts: network/host_spec.lua",
  ["core/platform/namespace_file.c"] = "below settings: network/sysctl_spec.lua, network/counters_spec.lua",
  ["core/platform/netlink_socket.c"] = "below links: network/link_spec.lua",
  ["core/platform/nft.c"] = "below rules: core/rule_check.c",
  ["core/handle/lane.c"] = "one direction of a wire: wire_spec.lua, wire_chance_spec.lua",
  ["core/handle/flow.c"] = "a part of hands: hand_spec.lua",
  ["core/platform/craft.c"] = "below hands: hand_spec.lua",
  ["lua/lunet/network/filter.lua"] = "options of rules and hands: network/rule_spec.lua, hand_spec.lua",
  ["lua/lunet/network/forwarded.lua"] = "a failure of hands: hand_spec.lua",
  ["lua/lunet/network/hands.lua"] = "the hands in Lua: hand_spec.lua",
  ["lua/lunet/network/waiting.lua"] = "a part of eventually: init_spec.lua",
  ["core/platform/frame.c"] = "the content of a wire's frames: wire_chance_spec.lua",
  ["core/platform/segment.c"] = "below captures and wires: capture_spec.lua, wire_chance_spec.lua",
  ["core/platform/packet.c"] = "below wires and captures: wire_spec.lua, capture_spec.lua",
  ["core/platform/sock_destroy.c"] = "below sockets: sockets_destroy_spec.lua",
  ["core/platform/sock_diag.c"] = "below sockets: sockets_spec.lua",
  ["core/platform/socket.c"] = "single system calls: connection_spec.lua, listener_spec.lua",
  ["core/platform/source.c"] = "below connections: address_link_local_spec.lua",
  ["core/platform/spawn.c"] = "below programs: program_spec.lua",
  ["core/platform/stamp.c"] = "below captures: capture_spec.lua",
  ["core/platform/tap.c"] = "below captures: capture_spec.lua",
  ["core/platform/socket_owner.c"] = "below owners of queues: queues/owners_spec.lua",
  ["core/platform/unix_diag.c"] = "below Unix listeners: listener_spec.lua, survey_spec.lua",
  ["core/platform/unix_clients.c"] = "below surveys: survey_spec.lua",
  ["core/platform/unix_listeners.c"] = "below sockets: sockets_spec.lua",
  ["core/platform/unix_queue.c"] = "below listeners: listener_spec.lua",
  ["lua/lunet/command/sweep_line.lua"] = "the words of one command: command/sweep_misuse_spec.lua",
  ["lua/lunet/sweep/directory.lua"] = "a plan and its runs together: command/sweep_spec.lua",
  ["lua/lunet/sweep/worker.lua"] = "a process of the runner: sweep/runner_spec.lua",
  ["lua/lunet/load/remedy.lua"] = "the scenario tries each remedy: load/scenario_spec.lua",
  ["lua/lunet/network/interfaces.lua"] = "a part of networks: network/link_spec.lua, network/lan_spec.lua",
  ["lua/lunet/network/network.lua"] = "the common part of links and LANs: network/link_spec.lua, network/lan_spec.lua",
  ["lua/lunet/peer/proxy.lua"] = "the common part of three clients: peer/client_spec.lua",
  ["lua/lunet/peer_process.lua"] = "another name: peer/process_spec.lua",
  ["lua/lunet/report/diagram_style.lua"] = "a style sheet: report/diagram_spec.lua",
  ["lua/lunet/files/user_cache.lua"] = "a directory: kernel/cache_spec.lua, command/opening_spec.lua",
  ["lua/lunet/report/filter.lua"] = "a field of pages: report/guide_page_spec.lua, report/page_script_spec.lua",
  ["lua/lunet/report/html.lua"] = "the parts of all pages: report/page_spec.lua, report/guide_page_spec.lua",
  ["lua/lunet/report/guide_sections.lua"] = "the table of the field guide: report/guide_spec.lua",
  ["lua/lunet/report/guide_words.lua"] = "words of both pages: report/guide_page_spec.lua",
  ["lua/lunet/report/marks.lua"] = "the parts of a diagram: report/diagram_spec.lua",
  ["lua/lunet/report/page_style.lua"] = "a style sheet: report/page_spec.lua",
  ["lua/lunet/report/pen.lua"] = "the drawing of a diagram: report/diagram_spec.lua",
  ["lua/lunet/workload.lua"] = "another name: load/workload_spec.lua",
}

--- Folders of sources that are data: the spec that goes over all of them.
---@type table<string, string>
map.OF_FOLDERS = {
  ["lua/lunet/peer/clients/"] = "spec/peer/clients_spec.lua",
}

--- Specs of no single file: their subject.
---@type table<string, string>
map.OF_THE_WHOLE = {
  ["spec/documented_spec.lua"] = "facts that README.md states in half a sentence",
  ["spec/module_spec.lua"] = "the module in a stock lua5.4",
  ["spec/rock_spec.lua"] = "the rockspec, whose name has the version",
  ["spec/orphan_spec.lua"] = "nothing is left of lunet, however it ends",
  ["spec/readme_spec.lua"] = "the commands and scripts of README.md",
  ["spec/tellers_kinds_spec.lua"] = "the same kinds of events in every teller",
  ["spec/tellers_spec.lua"] = "the same bad text in every teller",
  ["spec/unchecked_spec.lua"] = "calls in experiments and lua whose failure nobody would see",
  ["spec/wire/attack_spec.lua"] = "the kernel's TCP: segments of a stranger",
  ["spec/wire/close_spec.lua"] = "the kernel's TCP: close, reset, shutdown",
  ["spec/wire/connect_spec.lua"] = "the kernel's TCP: SYN-SENT",
  ["spec/wire/fast_open_spec.lua"] = "the kernel's TCP: data in a SYN",
  ["spec/wire/icmp_spec.lua"] = "the kernel's TCP: ICMP errors; and those of link:inject",
  ["spec/wire/listen_spec.lua"] = "the kernel's TCP: LISTEN and SYN-RECEIVED",
  ["spec/wire/queued_spec.lua"] = "the kernel's TCP: connections that nobody has accepted",
  ["spec/wire/time_wait_spec.lua"] = "the kernel's TCP: TIME-WAIT",
  ["spec/wire/user_timeout_spec.lua"] = "the kernel's TCP: the user timeout",
  ["spec/version_spec.lua"] = "the version, and all files that state it",
  ["spec/witnesses_spec.lua"] = "all files of one run against each other",
}

return map
