local peer = require "spec.support.peer"

peer(_ENV, "mosquitto", { told = "", logged = "denied" })
