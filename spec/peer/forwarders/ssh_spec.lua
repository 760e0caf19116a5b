local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "ssh", { told = "FIN", logged = "connect failed: Connection refused" })
