local peer = require "spec.support.peer"

peer(_ENV, "postgresql", { told = "too many clients already", logged = "too many clients" })
