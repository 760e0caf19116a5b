local peer = require "spec.support.peer"

peer(_ENV, "redis", { told = "max number of clients", counted = "rejected_connections:" })
