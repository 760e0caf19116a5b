local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "xinetd", { told = "FIN", logged = "Connection refused" })
