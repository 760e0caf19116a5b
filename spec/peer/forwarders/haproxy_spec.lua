local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "haproxy", { told = "FIN", logged = "SC" })
