local peer = require "spec.support.peer"

peer(_ENV, "xinetd", { told = "", logged = "service_limit" })
