local peer = require "spec.support.peer"

peer(_ENV, "redis_busy", {})
