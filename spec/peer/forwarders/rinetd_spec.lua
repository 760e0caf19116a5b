local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "rinetd", { told = "FIN", logged = "opened" })
