local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "socat", { told = "FIN", logged = "Connection refused" })
