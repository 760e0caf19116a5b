--- The description of a forwarder that delivers more than it says, for experiments that compare forwarders.
local description = dofile "spec/fakes/relay.lua"
description.delivers = { close = true, reset = false }
return description
