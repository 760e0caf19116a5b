# Specs that also run under another kernel: `script/test --kernel 6.1`. A test is one guest, in which a group of files
# runs; groups run side by side. spec/kernels/lacking.lua leaves out single specs.

# Left out: nearly all of their specs need firewall rules, NAT or SYNPROXY. Debian builds user-mode Linux with nftables
# for bridges alone (CONFIG_NF_TABLES_INET is not set).
set(left_out
  network/rule network/rule_flags network/translation experiments/operations/health_check experiments/queue/fast_open
  experiments/queue/syn_proxy experiments/timeouts/connect_timeouts experiments/timeouts/conntrack_invalid
  experiments/timeouts/dead_peer_timeouts experiments/timeouts/nat_timeout experiments/timeouts/partitions)
list(TRANSFORM left_out REPLACE ".+" "spec/\\0_spec.lua")

# lunet_guest(GROUP FILE-PATTERN...)
function(lunet_guest group)
  list(TRANSFORM ARGN PREPEND spec/ OUTPUT_VARIABLE patterns)
  list(TRANSFORM patterns APPEND _spec.lua)
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${patterns})
  list(FILTER files EXCLUDE REGEX _all_spec) # every real program of a kind
  list(REMOVE_ITEM files ${left_out})
  lunet_test(guest guest/${group} lunet spec/kernels/specs.lua ${BUSTED} ${files})
endfunction()

lunet_guest(connection connection connection_* stream reader reader_* option option_* tcp_info)
lunet_guest(host host_scale orphan scope undertaker target survey foreign)
lunet_guest(listener listener listener_* gate queue_watch)
lunet_guest(network network/*)
lunet_guest(sockets sockets sockets_* address_link_local anchor)
lunet_guest(wire wire wire_chance chance hand capture tracked)
lunet_guest(wire/behaviours wire/*)
lunet_guest(experiments experiments/*)
foreach(group IN ITEMS operations overload queue timeouts)
  lunet_guest(experiments/${group} experiments/${group}/*)
endforeach()

# Not experiments/servers: they ask what real programs do, and where ptrace(2) is slow those take more than ten minutes in
# user-mode Linux. doc/kernels.md has their rows, and script/kernels --memo runs the memo's own.
