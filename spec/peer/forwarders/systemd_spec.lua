local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "systemd", { told = "FIN", logged = "Connection refused" })
