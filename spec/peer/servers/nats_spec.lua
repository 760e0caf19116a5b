local peer = require "spec.support.peer"

peer(_ENV, "nats", { told = "maximum connections exceeded", logged = "maximum connections exceeded" })
