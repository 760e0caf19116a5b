local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "nft_dnat", { connect = "ECONNREFUSED" })
