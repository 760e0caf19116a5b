local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "pen", { told = "FIN" })
