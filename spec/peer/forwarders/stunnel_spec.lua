local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "stunnel", { told = { "FIN", "RST" }, logged = "Connection refused" })
