local forwarder = require "spec.support.forwarder"

forwarder(_ENV, "nginx_http", { told = "502", logged = "502" })
