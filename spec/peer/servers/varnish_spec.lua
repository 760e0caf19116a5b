local peer = require "spec.support.peer"

peer(_ENV, "varnish", {})
