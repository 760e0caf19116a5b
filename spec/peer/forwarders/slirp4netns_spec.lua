local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "slirp4netns", { connect = "ECONNREFUSED" })
