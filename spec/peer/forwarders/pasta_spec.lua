local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "pasta", { connect = "TIMEOUT", silent = true })
